//! Ends that come from outside: a webhook is enabled or deleted, a user is removed.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::resend::listed;
use super::{Kind, KindCode};
use crate::db::AnyConnection;
use crate::id::{DeliveryId, EmailId, EventId, LaneId, UserId, WebhookId};
use crate::instant::Instant;
use crate::schema::{action_logs, attempts, deliveries, emails, events, lane_states, outbox};

/// Rows canceled in one transaction: few enough that other writers do not notice.
const BATCH: i64 = 1000;

/// Lifts the disabling of a webhook, and forgets its failures: what is held is due from
/// now on. False: it was not disabled. Wake the workers after the commit.
///
/// # Errors
/// Those of the database.
pub fn enable(connection: &mut AnyConnection, webhook: WebhookId) -> QueryResult<bool> {
    let disabled = lane_states::table
        .find(LaneId::from(webhook))
        .filter(lane_states::disabled_instant.is_not_null());
    Ok(diesel::delete(disabled).execute(connection)? == 1)
}

/// Cancels what is owed to a webhook that is deleted, and forgets how it fared. True: there
/// is more; call it again, each time in a write transaction of its own. What a worker has
/// right now it may still deliver, and what nobody cancels is canceled once it is due.
///
/// # Errors
/// Those of the database.
pub fn end_of_webhook(
    connection: &mut AnyConnection,
    webhook: WebhookId,
    now: Instant,
) -> QueryResult<bool> {
    let lane = LaneId::from(webhook);
    let owed = outbox::table
        .filter(outbox::kind.eq(KindCode::from(Kind::Webhook)))
        .filter(outbox::lane.eq(lane))
        .filter(outbox::lease_token.is_null())
        .limit(BATCH)
        .select(outbox::id);
    let owed: Vec<DeliveryId> = owed.load(connection)?;
    cancel(connection, &owed, now)?;
    diesel::delete(lane_states::table.find(lane)).execute(connection)?;
    Ok(i64::try_from(owed.len()).is_ok_and(|rows| rows == BATCH))
}

/// Cancels what is owed because of a user, and erases what was written about or to them:
/// events, mails, addresses, and what mail servers said. That deliveries were made stays
/// on record. Call it before the user is removed, in the same transaction.
///
/// # Errors
/// Those of the database.
pub fn end_of_user(connection: &mut AnyConnection, user: UserId, now: Instant) -> QueryResult<()> {
    let logs = action_logs::table
        .filter(action_logs::actionee_user_id.eq(user))
        .select(action_logs::id);
    let events: Vec<EventId> = events::table
        .filter(events::action_log_id.eq_any(logs.nullable()))
        .select(events::id)
        .load(connection)?;
    let mut mails: Vec<EmailId> = emails::table
        .filter(emails::action_log_id.eq_any(logs.nullable()))
        .select(emails::id)
        .load(connection)?;
    let other_mails: Vec<EmailId> = emails::table
        .filter(emails::action_log_id.is_null())
        .filter(emails::user_id.eq(user))
        .select(emails::id)
        .load(connection)?;
    mails.extend(other_mails);
    for events in events.chunks(CHUNK) {
        erase_events(connection, events, now)?;
    }
    for mails in mails.chunks(CHUNK) {
        erase_mails(connection, mails, now)?;
    }
    Ok(())
}

/// Ids of one statement at most: SQLite takes no more than so many parameters.
const CHUNK: usize = 500;

fn erase_events(connection: &mut AnyConnection, ids: &[EventId], now: Instant) -> QueryResult<()> {
    let owed: Vec<DeliveryId> = outbox::table
        .filter(outbox::event_id.eq_any(ids.to_vec()))
        .filter(outbox::lease_token.is_null())
        .select(outbox::id)
        .load(connection)?;
    cancel(connection, &owed, now)?;
    diesel::delete(events::table.filter(events::id.eq_any(ids.to_vec()))).execute(connection)?;
    Ok(())
}

fn erase_mails(connection: &mut AnyConnection, ids: &[EmailId], now: Instant) -> QueryResult<()> {
    let owed: Vec<DeliveryId> = outbox::table
        .filter(outbox::email_id.eq_any(ids.to_vec()))
        .filter(outbox::lease_token.is_null())
        .select(outbox::id)
        .load(connection)?;
    cancel(connection, &owed, now)?;
    diesel::delete(emails::table.filter(emails::id.eq_any(ids.to_vec()))).execute(connection)?;
    let made: Vec<DeliveryId> = deliveries::table
        .filter(deliveries::email_id.eq_any(ids.to_vec()))
        .select(deliveries::id)
        .load(connection)?;
    for made in made.chunks(CHUNK) {
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(made.to_vec())))
            .set((
                deliveries::recipient.eq(None::<String>),
                deliveries::message.eq(None::<String>),
                deliveries::response_excerpt.eq(None::<String>),
            ))
            .execute(connection)?;
        diesel::update(attempts::table.filter(attempts::delivery_id.eq_any(made.to_vec())))
            .set((
                attempts::message.eq(None::<String>),
                attempts::response_excerpt.eq(None::<String>),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Moves these out of the outbox, those aside that a worker has taken meanwhile.
fn cancel(connection: &mut AnyConnection, ids: &[DeliveryId], now: Instant) -> QueryResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let these = listed(connection, ids);
    match connection {
        AnyConnection::Pg(connection) => diesel::sql_query(format!(
            "WITH gone AS (
                DELETE FROM outbox WHERE id IN ({these}) AND lease_token IS NULL
                RETURNING id, kind, lane, event_id, email_id, recipient, attempt, insert_instant)
             INSERT INTO deliveries (id, kind, lane, event_id, email_id, recipient, state,
                attempt, insert_instant, settle_instant)
             SELECT id, kind, lane, event_id, email_id, recipient, 'Canceled',
                attempt, insert_instant, $1 FROM gone"
        ))
        .bind::<BigInt, _>(now)
        .execute(connection)?,
        AnyConnection::Sqlite(connection) => {
            diesel::sql_query(format!(
                "INSERT INTO deliveries (id, kind, lane, event_id, email_id, recipient, state,
                    attempt, insert_instant, settle_instant)
                 SELECT id, kind, lane, event_id, email_id, recipient, 'Canceled',
                    attempt, insert_instant, ?1
                 FROM outbox WHERE id IN ({these}) AND lease_token IS NULL"
            ))
            .bind::<BigInt, _>(now)
            .execute(connection)?;
            diesel::sql_query(format!(
                "DELETE FROM outbox WHERE id IN ({these}) AND lease_token IS NULL"
            ))
            .execute(connection)?
        }
    };
    Ok(())
}
