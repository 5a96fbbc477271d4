//! Prune: what was delivered long ago is forgotten, in small batches.
//!
//! Ids grow with time, so what is old stands at the beginning of every table, and no index
//! is needed to find it. Nothing that may still be delivered is touched: an event or an email
//! goes when no delivery of it is left, and what was given up stays for as long as its webhook
//! does. Several workers may prune at once.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::{DeliveryState, Kind, KindCode};
use crate::db::AnyConnection;
use crate::id::{DeliveryId, EmailId, EventId, earliest};
use crate::instant::Instant;
use crate::model::idempotency_key::IdempotencyKey;
use crate::schema::{attempts, deliveries, emails, event_logs, events, outbox, webhooks};

/// Rows of one batch: few enough that nobody waits for its transaction.
const BATCH: i64 = 500;

/// What is pruned, one after the other: events and emails once their deliveries are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prunable {
    /// Deliveries that are decided, with their attempts.
    Deliveries,
    /// Events that nothing is owed for.
    Events,
    /// Emails that nothing is owed for.
    Emails,
    /// The event log.
    EventLogs,
    /// Stored answers whose time is over. It is their own, whatever the retention.
    IdempotencyKeys,
}

impl Prunable {
    /// In the order in which they are to be pruned.
    pub const ALL: [Self; 5] = [
        Self::Deliveries,
        Self::Events,
        Self::Emails,
        Self::EventLogs,
        Self::IdempotencyKeys,
    ];
}

/// Where the next batch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// At the beginning.
    Start,
    /// After the row with this Id.
    After(uuid::Uuid),
    /// Nowhere: there is nothing left.
    End,
}

/// What a batch has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Rows removed, attempts not counted.
    pub removed: usize,
    /// Where the next batch begins.
    pub next: Cursor,
}

/// Removes one batch of what is older than `cutoff`. Call it in a write transaction, until
/// the cursor is at its end.
///
/// # Errors
/// Those of the database.
pub fn prune(
    connection: &mut AnyConnection,
    what: Prunable,
    cursor: Cursor,
    cutoff: Instant,
    now: Instant,
) -> QueryResult<Pruned> {
    match what {
        Prunable::Deliveries => prune_deliveries(connection, cursor, cutoff),
        Prunable::Events => prune_events(connection, cursor, cutoff),
        Prunable::Emails => prune_emails(connection, cursor, cutoff),
        Prunable::EventLogs => prune_event_logs(connection, cutoff),
        Prunable::IdempotencyKeys => {
            let removed = IdempotencyKey::prune(connection, now)?;
            Ok(Pruned::until_none(removed))
        }
    }
}

impl Cursor {
    /// The Id after which to go on.
    fn id<T: From<uuid::Uuid>>(self) -> T {
        match self {
            Self::After(id) => id.into(),
            Self::Start | Self::End => uuid::Uuid::nil().into(),
        }
    }

    /// After the last row of a batch; a batch that is not full was the last.
    fn after<T: Into<uuid::Uuid> + Copy>(found: &[T]) -> Self {
        let is_full = i64::try_from(found.len()).is_ok_and(|length| length >= BATCH);
        match found.last().filter(|_| is_full) {
            Some(last) => Self::After((*last).into()),
            None => Self::End,
        }
    }
}

impl Pruned {
    /// Of what is always pruned from the beginning.
    fn until_none(removed: usize) -> Self {
        let next = match removed {
            0 => Cursor::End,
            _ => Cursor::Start,
        };
        Self { removed, next }
    }
}

fn prune_deliveries(
    connection: &mut AnyConnection,
    cursor: Cursor,
    cutoff: Instant,
) -> QueryResult<Pruned> {
    let of_webhooks = webhooks::table.select(webhooks::id);
    let may_be_replayed = deliveries::state
        .eq(DeliveryState::Exhausted)
        .and(deliveries::kind.eq(KindCode::from(Kind::Webhook)))
        .and(deliveries::lane.eq_any(of_webhooks));
    let old: Vec<DeliveryId> = deliveries::table
        .filter(deliveries::id.gt(cursor.id::<DeliveryId>()))
        .filter(deliveries::id.lt(earliest::<DeliveryId>(cutoff)))
        .filter(deliveries::settle_instant.lt(cutoff))
        .filter(not(may_be_replayed))
        .order(deliveries::id)
        .limit(BATCH)
        .select(deliveries::id)
        .load(connection)?;
    // One that is being sent again at this moment is gone from here, and keeps its attempts.
    let removed: Vec<DeliveryId> =
        diesel::delete(deliveries::table.filter(deliveries::id.eq_any(old.clone())))
            .returning(deliveries::id)
            .get_results(connection)?;
    let count = removed.len();
    diesel::delete(attempts::table.filter(attempts::delivery_id.eq_any(removed)))
        .execute(connection)?;
    Ok(Pruned {
        removed: count,
        next: Cursor::after(&old),
    })
}

/// `events` and `emails` alike: what no delivery refers to any more.
macro_rules! unreferenced {
    ($connection:expr, $cursor:expr, $cutoff:expr, $table:ident, $column:ident, $id:ty) => {{
        let owed = || outbox::table.filter(outbox::$column.eq($table::id.nullable()));
        let settled = || deliveries::table.filter(deliveries::$column.eq($table::id.nullable()));
        let old: Vec<$id> = $table::table
            .filter($table::id.gt($cursor.id::<$id>()))
            .filter($table::id.lt(earliest::<$id>($cutoff)))
            .filter($table::insert_instant.lt($cutoff))
            .filter(not(exists(owed())))
            .filter(not(exists(settled())))
            .order($table::id)
            .limit(BATCH)
            .select($table::id)
            .load($connection)?;
        let these = $table::table.filter($table::id.eq_any(old.clone()));
        let removed = diesel::delete(these).execute($connection)?;
        Ok(Pruned {
            removed,
            next: Cursor::after(&old),
        })
    }};
}

fn prune_events(
    connection: &mut AnyConnection,
    cursor: Cursor,
    cutoff: Instant,
) -> QueryResult<Pruned> {
    unreferenced!(connection, cursor, cutoff, events, event_id, EventId)
}

fn prune_emails(
    connection: &mut AnyConnection,
    cursor: Cursor,
    cutoff: Instant,
) -> QueryResult<Pruned> {
    unreferenced!(connection, cursor, cutoff, emails, email_id, EmailId)
}

/// The oldest entries are looked at, and nothing beyond the first that is young: their
/// instants have no index.
fn prune_event_logs(connection: &mut AnyConnection, cutoff: Instant) -> QueryResult<Pruned> {
    let oldest: Vec<(i64, Instant)> = event_logs::table
        .order(event_logs::id)
        .limit(BATCH)
        .select((event_logs::id, event_logs::insert_instant))
        .load(connection)?;
    let old = oldest.into_iter().take_while(|(_, at)| *at < cutoff);
    let old: Vec<i64> = old.map(|(id, _)| id).collect();
    if old.is_empty() {
        return Ok(Pruned::until_none(0));
    }
    let removed =
        diesel::delete(event_logs::table.filter(event_logs::id.eq_any(old))).execute(connection)?;
    Ok(Pruned::until_none(removed))
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;
