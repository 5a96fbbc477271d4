//! Prune: what was delivered long ago is forgotten, in small batches.
//!
//! Ids grow with time, so what is old stands at the beginning of every table, and no index
//! is needed to find it. Nothing that may still be delivered is touched: an event or an email
//! goes when no delivery of it is left, and what was given up stays for as long as its webhook
//! does. Several workers may prune at once.
//!
//! What stays may be much, and is looked at in every round. So whoever looks ([`look`]) is not
//! in a transaction that writes: SQLite has only one of those. Only what was found to go is
//! then removed in one ([`remove`]), by its Ids, and if it still may go.

use std::collections::HashSet;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use uuid::Uuid;

use super::{DeliveryState, Kind, KindCode};
use crate::db::AnyConnection;
use crate::id::{DeliveryId, DestinationId, EmailId, EventId, WebhookId, min_id_at};
use crate::model::idempotency_key::IdempotencyKey;
use crate::schema::{attempts, deliveries, emails, event_logs, events, outbox, webhooks};
use crate::unix_millis::UnixMillis;

/// Rows that are looked at together, and so removed in one transaction at most: few enough
/// that nobody waits for it.
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

/// What a look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What may go.
    rows: Rows,
    /// Where the next look begins.
    pub next: Cursor,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rows {
    Deliveries(Vec<DeliveryId>),
    Events(Vec<EventId>),
    Emails(Vec<EmailId>),
    EventLogs(Vec<i64>),
    /// They look after themselves.
    IdempotencyKeys,
}

/// What no delivery refers to by now either.
macro_rules! remove_unreferenced {
    ($connection:expr, $ids:expr, $table:ident, $column:ident) => {{
        let owed = outbox::table.filter(outbox::$column.eq($table::id.nullable()));
        let settled = deliveries::table.filter(deliveries::$column.eq($table::id.nullable()));
        let these = $table::table
            .filter($table::id.eq_any($ids.clone()))
            .filter(not(exists(owed)))
            .filter(not(exists(settled)));
        diesel::delete(these).execute($connection)
    }};
}

impl Found {
    /// Whether there is nothing to remove.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.rows {
            Rows::Deliveries(ids) => ids.is_empty(),
            Rows::Events(ids) => ids.is_empty(),
            Rows::Emails(ids) => ids.is_empty(),
            Rows::EventLogs(ids) => ids.is_empty(),
            Rows::IdempotencyKeys => false,
        }
    }
}

/// Looks at the next rows for what is older than `cutoff`. Call it outside transactions, until
/// the cursor is at its end.
pub fn look(
    connection: &mut AnyConnection,
    what: Prunable,
    cursor: Cursor,
    cutoff: UnixMillis,
) -> QueryResult<Found> {
    match what {
        Prunable::Deliveries => look_at_deliveries(connection, cursor, cutoff),
        Prunable::Events => look_at_events(connection, cursor, cutoff),
        Prunable::Emails => look_at_emails(connection, cursor, cutoff),
        Prunable::EventLogs => look_at_event_logs(connection, cursor, cutoff),
        Prunable::IdempotencyKeys => Ok(Found {
            rows: Rows::IdempotencyKeys,
            next: Cursor::End,
        }),
    }
}

/// Removes what was found, as far as it may still go, and says how much that was, attempts
/// not counted. Call it in a write transaction.
pub fn remove(
    connection: &mut AnyConnection,
    found: &Found,
    cutoff: UnixMillis,
    now: UnixMillis,
) -> QueryResult<usize> {
    match &found.rows {
        Rows::Deliveries(ids) => remove_deliveries(connection, ids, cutoff),
        Rows::Events(ids) => remove_unreferenced!(connection, ids, events, event_id),
        Rows::Emails(ids) => remove_unreferenced!(connection, ids, emails, email_id),
        Rows::EventLogs(ids) => {
            let old = event_logs::table.filter(event_logs::id.eq_any(ids.clone()));
            diesel::delete(old).execute(connection)
        }
        Rows::IdempotencyKeys => IdempotencyKey::prune(connection, now),
    }
}

impl Cursor {
    /// The Id after which to go on.
    fn id<T: From<Uuid>>(self) -> T {
        match self {
            Self::After(id) => id.into(),
            Self::Start | Self::End => Uuid::nil().into(),
        }
    }

    /// After the last row that was looked at; a part that is not full was the last.
    fn after<T: Into<Uuid> + Copy>(seen: &[T]) -> Self {
        match seen.last().filter(|_| is_full(seen.len())) {
            Some(last) => Self::After((*last).into()),
            None => Self::End,
        }
    }
}

fn is_full(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= BATCH)
}

/// A delivery that is old enough, with what decides about it.
type Old = (
    DeliveryId,
    UnixMillis,
    DeliveryState,
    KindCode,
    DestinationId,
);

fn look_at_deliveries(
    connection: &mut AnyConnection,
    cursor: Cursor,
    cutoff: UnixMillis,
) -> QueryResult<Found> {
    let seen: Vec<Old> = deliveries::table
        .filter(deliveries::id.gt(cursor.id::<DeliveryId>()))
        .filter(deliveries::id.lt(min_id_at::<DeliveryId>(cutoff)))
        .order(deliveries::id)
        .limit(BATCH)
        .select((
            deliveries::id,
            deliveries::settle_instant,
            deliveries::state,
            deliveries::kind,
            deliveries::destination,
        ))
        .load(connection)?;
    let given_up = |(_, _, state, kind, _): &&Old| {
        *state == DeliveryState::Exhausted && *kind == KindCode::from(Kind::Webhook)
    };
    let destinations: HashSet<DestinationId> =
        seen.iter().filter(given_up).map(|old| old.4).collect();
    let destinations: Vec<WebhookId> = destinations.into_iter().map(WebhookId::from).collect();
    let existing: Vec<WebhookId> = webhooks::table
        .filter(webhooks::id.eq_any(destinations))
        .select(webhooks::id)
        .load(connection)?;
    let existing: HashSet<DestinationId> = existing.into_iter().map(DestinationId::from).collect();
    let may_be_replayed = |old: &&Old| given_up(old) && existing.contains(&old.4);
    let may_go = seen
        .iter()
        .filter(|old| old.1 < cutoff && !may_be_replayed(old));
    Ok(Found {
        rows: Rows::Deliveries(may_go.map(|old| old.0).collect()),
        next: Cursor::after(&seen.iter().map(|old| old.0).collect::<Vec<_>>()),
    })
}

fn remove_deliveries(
    connection: &mut AnyConnection,
    ids: &[DeliveryId],
    cutoff: UnixMillis,
) -> QueryResult<usize> {
    // One that is being sent again at this moment is gone from here, and keeps its attempts;
    // one that was sent again meanwhile is young.
    let old = deliveries::table
        .filter(deliveries::id.eq_any(ids.to_vec()))
        .filter(deliveries::settle_instant.lt(cutoff));
    let removed: Vec<DeliveryId> = diesel::delete(old)
        .returning(deliveries::id)
        .get_results(connection)?;
    let count = removed.len();
    diesel::delete(attempts::table.filter(attempts::delivery_id.eq_any(removed)))
        .execute(connection)?;
    Ok(count)
}

/// `events` and `emails` alike: what no delivery refers to any more.
macro_rules! look_at_unreferenced {
    ($connection:expr, $cursor:expr, $cutoff:expr, $table:ident, $column:ident, $rows:ident, $id:ty) => {{
        let seen: Vec<$id> = $table::table
            .filter($table::id.gt($cursor.id::<$id>()))
            .filter($table::id.lt(min_id_at::<$id>($cutoff)))
            .filter($table::insert_instant.lt($cutoff))
            .order($table::id)
            .limit(BATCH)
            .select($table::id)
            .load($connection)?;
        let of_these: Vec<Option<$id>> = seen.iter().copied().map(Some).collect();
        let owed: Vec<Option<$id>> = outbox::table
            .filter(outbox::$column.eq_any(of_these.clone()))
            .select(outbox::$column)
            .load($connection)?;
        let settled: Vec<Option<$id>> = deliveries::table
            .filter(deliveries::$column.eq_any(of_these))
            .select(deliveries::$column)
            .load($connection)?;
        let kept: HashSet<$id> = owed.into_iter().chain(settled).flatten().collect();
        Ok(Found {
            next: Cursor::after(&seen),
            rows: Rows::$rows(seen.into_iter().filter(|id| !kept.contains(id)).collect()),
        })
    }};
}

fn look_at_events(
    connection: &mut AnyConnection,
    cursor: Cursor,
    cutoff: UnixMillis,
) -> QueryResult<Found> {
    look_at_unreferenced!(
        connection, cursor, cutoff, events, event_id, Events, EventId
    )
}

fn look_at_emails(
    connection: &mut AnyConnection,
    cursor: Cursor,
    cutoff: UnixMillis,
) -> QueryResult<Found> {
    look_at_unreferenced!(
        connection, cursor, cutoff, emails, email_id, Emails, EmailId
    )
}

/// The oldest entries are looked at, and nothing beyond the first that is young: their
/// instants have no index. They are gone before the next look.
fn look_at_event_logs(
    connection: &mut AnyConnection,
    _cursor: Cursor,
    cutoff: UnixMillis,
) -> QueryResult<Found> {
    let oldest: Vec<(i64, UnixMillis)> = event_logs::table
        .order(event_logs::id)
        .limit(BATCH)
        .select((event_logs::id, event_logs::insert_instant))
        .load(connection)?;
    let old = oldest.into_iter().take_while(|(_, at)| *at < cutoff);
    let old: Vec<i64> = old.map(|(id, _)| id).collect();
    let next = match is_full(old.len()) {
        true => Cursor::Start,
        false => Cursor::End,
    };
    Ok(Found {
        rows: Rows::EventLogs(old),
        next,
    })
}

#[cfg(test)]
mod tests;
