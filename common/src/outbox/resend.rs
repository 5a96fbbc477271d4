//! Once more: deliveries that are decided go back into the outbox, those that wait
//! become due.
//!
//! A delivery keeps its Id, its `webhook-id` or `Message-ID`, and its attempts; the retry
//! schedule begins anew. It comes after what is fresh, and outside the order of its user.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use super::delivery::{Delivery, Place};
use super::{PRIORITY_RETRY, Payload};
use crate::db::{AnyConnection, SqlUuid};
use crate::id::{DeliveryId, LeaseToken, WebhookId};
use crate::schema::{emails, events, outbox, webhooks};
use crate::unix_millis::UnixMillis;

/// What became of the wish to have a delivery once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resent {
    /// It is due now.
    Due,
    /// A worker has it right now.
    Leased,
    /// What it delivers, or whom it is for, is gone.
    Gone(Missing),
    /// There is no such delivery.
    Unknown,
}

/// What a delivery cannot be repeated without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The webhook was deleted.
    Webhook,
    /// The event was pruned.
    Event,
    /// The email was pruned.
    Email,
    /// What the event tells of did not happen after all.
    Occurrence,
}

/// Has a delivery made once more, now. Call it in a write transaction, and wake the
/// workers after the commit.
pub fn resend(
    connection: &mut AnyConnection,
    id: DeliveryId,
    now: UnixMillis,
) -> QueryResult<Resent> {
    let Some(delivery) = Delivery::find(connection, id)? else {
        return Ok(Resent::Unknown);
    };
    if let Some(missing) = missing(connection, &delivery)? {
        return Ok(Resent::Gone(missing));
    }
    if hurry(connection, id, now)? || move_back(connection, &[id], now)? > 0 {
        return Ok(Resent::Due);
    }
    match Delivery::find(connection, id)?.map(|delivery| delivery.place) {
        // A lease that has lapsed: the next claim takes it.
        Some(Place::Owed(owed)) if owed.due_at <= now => Ok(Resent::Due),
        Some(_) => Ok(Resent::Leased),
        None => Ok(Resent::Unknown),
    }
}

fn missing(connection: &mut AnyConnection, delivery: &Delivery) -> QueryResult<Option<Missing>> {
    let exists = |found: bool, missing: Missing| (!found).then_some(missing);
    match &delivery.payload {
        Payload::Webhook(event) => {
            let webhook = webhooks::table.find(WebhookId::from(delivery.destination));
            let webhook: bool =
                diesel::select(diesel::dsl::exists(webhook)).get_result(connection)?;
            let rolled_back: Option<bool> = events::table
                .filter(events::id.eq(*event))
                .select(events::rolled_back)
                .first(connection)
                .optional()?;
            let event = match rolled_back {
                None => Some(Missing::Event),
                Some(true) => Some(Missing::Occurrence),
                Some(false) => None,
            };
            Ok(exists(webhook, Missing::Webhook).or(event))
        }
        Payload::Email(email, _) => {
            let email = emails::table.find(*email);
            let email: bool = diesel::select(diesel::dsl::exists(email)).get_result(connection)?;
            Ok(exists(email, Missing::Email))
        }
    }
}

/// One that waits becomes due. False: none waits under this Id.
fn hurry(connection: &mut AnyConnection, id: DeliveryId, now: UnixMillis) -> QueryResult<bool> {
    let waiting = outbox::table.find(id).filter(outbox::lease_token.is_null());
    let rows = diesel::update(waiting)
        .set((
            outbox::due_at.eq(now),
            outbox::priority.eq(PRIORITY_RETRY),
            outbox::base_attempt.eq(outbox::attempt),
            outbox::lease_token.eq(None::<LeaseToken>),
        ))
        .execute(connection)?;
    Ok(rows == 1)
}

/// Puts deliveries that are decided back into the outbox, due now, and returns how many
/// of them were there. What decided them becomes one of their earlier attempts.
pub(super) fn move_back(
    connection: &mut AnyConnection,
    ids: &[DeliveryId],
    now: UnixMillis,
) -> QueryResult<usize> {
    let ids = lock(connection, ids)?;
    if ids.is_empty() {
        return Ok(0);
    }
    let these = listed(connection, &ids);
    diesel::sql_query(format!(
        "INSERT INTO attempts (delivery_id, number, instant, duration_millis, result,
            status_code, class, message, response_excerpt)
         SELECT id, attempt, attempt_instant, duration_millis, result,
            status_code, class, message, response_excerpt
         FROM deliveries
         WHERE id IN ({these}) AND attempt_instant IS NOT NULL AND result IS NOT NULL
         ON CONFLICT DO NOTHING"
    ))
    .execute(connection)?;
    diesel::sql_query(format!(
        "INSERT INTO outbox (id, kind, destination, event_id, email_id, recipient, attempt, due_at,
            insert_instant, priority, base_attempt)
         SELECT id, kind, destination, event_id, email_id, recipient, attempt, $1,
            insert_instant, {PRIORITY_RETRY}, attempt
         FROM deliveries WHERE id IN ({these})"
    ))
    .bind::<BigInt, _>(now)
    .execute(connection)?;
    diesel::sql_query(format!("DELETE FROM deliveries WHERE id IN ({these})")).execute(connection)
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = SqlUuid)]
    id: DeliveryId,
}

/// Those that are there, with what they deliver, and stay until the transaction ends: others
/// may be moving them, or erasing what they deliver.
fn lock(connection: &mut AnyConnection, ids: &[DeliveryId]) -> QueryResult<Vec<DeliveryId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let these = listed(connection, ids);
    let mut suffix = "ORDER BY id";
    if let AnyConnection::Pg(connection) = connection {
        // What is delivered comes first, as for those who erase it.
        for (table, column) in [("events", "event_id"), ("emails", "email_id")] {
            diesel::sql_query(format!(
                "SELECT 1 FROM {table} WHERE id IN (
                    SELECT {column} FROM deliveries WHERE id IN ({these}))
                 ORDER BY id FOR KEY SHARE"
            ))
            .execute(connection)?;
        }
        suffix = "ORDER BY id FOR UPDATE";
    }
    let locked: Vec<Locked> = diesel::sql_query(format!(
        "SELECT id FROM deliveries WHERE id IN ({these}) AND CASE
            WHEN event_id IS NOT NULL THEN EXISTS (SELECT 1 FROM events e WHERE e.id = event_id)
            ELSE EXISTS (SELECT 1 FROM emails m WHERE m.id = email_id) END
         {suffix}"
    ))
    .load(connection)?;
    Ok(locked.into_iter().map(|locked| locked.id).collect())
}

/// Ids as literals: hundreds of parameters would say the same at more cost.
pub(super) fn listed<T: Into<Uuid> + Copy>(connection: &AnyConnection, ids: &[T]) -> String {
    let literal = |id: &T| {
        let id: Uuid = (*id).into();
        match connection {
            AnyConnection::Pg(_) => format!("'{id}'"),
            AnyConnection::Sqlite(_) => format!("x'{}'", id.simple()),
        }
    };
    ids.iter().map(literal).collect::<Vec<_>>().join(", ")
}
