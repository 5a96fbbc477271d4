//! Ends that come from outside: a webhook is enabled or deleted. What is erased is in
//! [`super::erase`].

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::resend::listed;
use super::{Kind, KindCode};
use crate::db::AnyConnection;
use crate::id::{DeliveryId, DestinationId, WebhookId};
use crate::schema::{destination_states, outbox};
use crate::unix_millis::UnixMillis;

/// Rows canceled in one transaction: few enough that other writers do not notice.
const BATCH: i64 = 1000;

/// Lifts the disabling of a webhook, and forgets its failures: what is held is due from
/// now on. False: it was not disabled. Wake the workers after the commit.
pub fn enable(connection: &mut AnyConnection, webhook: WebhookId) -> QueryResult<bool> {
    let disabled = destination_states::table
        .find(DestinationId::from(webhook))
        .filter(destination_states::disabled_instant.is_not_null());
    Ok(diesel::delete(disabled).execute(connection)? == 1)
}

/// Cancels what is owed to a webhook that is deleted, and forgets how it fared. True: there
/// is more; call it again, each time in a write transaction of its own. What a worker has
/// right now it may still deliver, and what nobody cancels is canceled once it is due.
pub fn end_of_webhook(
    connection: &mut AnyConnection,
    webhook: WebhookId,
    now: UnixMillis,
) -> QueryResult<bool> {
    let destination = DestinationId::from(webhook);
    let owed = outbox::table
        .filter(outbox::kind.eq(KindCode::from(Kind::Webhook)))
        .filter(outbox::destination.eq(destination))
        .filter(outbox::lease_token.is_null())
        .limit(BATCH)
        .select(outbox::id);
    let owed: Vec<DeliveryId> = owed.load(connection)?;
    cancel(connection, &owed, now)?;
    diesel::delete(destination_states::table.find(destination)).execute(connection)?;
    Ok(i64::try_from(owed.len()).is_ok_and(|rows| rows == BATCH))
}

/// Moves these out of the outbox, those aside that a worker has taken meanwhile.
pub fn cancel(
    connection: &mut AnyConnection,
    ids: &[DeliveryId],
    now: UnixMillis,
) -> QueryResult<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    let these = listed(connection, ids);
    cancel_where(connection, &format!("id IN ({these})"), now)
}

/// The same for the rows of the outbox that meet this condition. A row that somebody else
/// holds right now is being claimed or settled, and is not waited for.
pub(super) fn cancel_where(
    connection: &mut AnyConnection,
    condition: &str,
    now: UnixMillis,
) -> QueryResult<usize> {
    match connection {
        AnyConnection::Pg(connection) => diesel::sql_query(format!(
            "WITH gone AS (
                DELETE FROM outbox WHERE id IN (
                    SELECT id FROM outbox WHERE {condition} AND lease_token IS NULL
                    FOR UPDATE SKIP LOCKED)
                RETURNING id, kind, destination, event_id, email_id, recipient, attempt, insert_instant)
             INSERT INTO deliveries (id, kind, destination, event_id, email_id, recipient, state,
                attempt, insert_instant, settle_instant)
             SELECT id, kind, destination, event_id, email_id, recipient, 'Canceled',
                attempt, insert_instant, $1 FROM gone"
        ))
        .bind::<BigInt, _>(now)
        .execute(connection),
        AnyConnection::Sqlite(connection) => {
            diesel::sql_query(format!(
                "INSERT INTO deliveries (id, kind, destination, event_id, email_id, recipient, state,
                    attempt, insert_instant, settle_instant)
                 SELECT id, kind, destination, event_id, email_id, recipient, 'Canceled',
                    attempt, insert_instant, ?1
                 FROM outbox WHERE {condition} AND lease_token IS NULL"
            ))
            .bind::<BigInt, _>(now)
            .execute(connection)?;
            diesel::sql_query(format!(
                "DELETE FROM outbox WHERE {condition} AND lease_token IS NULL"
            ))
            .execute(connection)
        }
    }
}
