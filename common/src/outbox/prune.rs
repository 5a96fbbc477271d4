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
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::db::{Db, DbError};
    use crate::id::{TenantId, WebhookId};
    use crate::model::event::EventRow;
    use crate::model::event_log::{EventLog, EventLogType};
    use crate::outbox::{NewDelivery, Payload, insert};
    use crate::test_support::{both_databases, webhook};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const NOW: Instant = Instant::from_millis(1_795_300_000_000);

    fn write<T: Send + 'static>(
        db: &Db,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> T {
        db.write_blocking(move |c| Ok::<_, DbError>(work(c)?))
            .unwrap()
    }

    /// A new Id of that instant.
    fn id_of<T: From<Uuid>>(at: Instant) -> T {
        let random = Uuid::new_v4().into_bytes();
        let [.., a, b, c, d, e, f, g, h, i, j] = random;
        let millis = u64::try_from(at.millis()).unwrap();
        uuid::Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j])
            .into_uuid()
            .into()
    }

    /// An event that is owed to a webhook since then.
    fn owe(connection: &mut AnyConnection, to: WebhookId, at: Instant) -> QueryResult<DeliveryId> {
        let event = EventRow {
            id: id_of(at),
            event_type: "user.action".to_owned(),
            tenant_id: TenantId::random(),
            action_log_id: None,
            linked_object_id: None,
            body: "{}".to_owned(),
            insert_instant: at,
        };
        event.insert(connection)?;
        let delivery = NewDelivery {
            id: id_of(at),
            lane: to.into(),
            payload: Payload::Webhook(event.id),
            due_at: at,
            insert_instant: at,
        };
        insert(connection, &delivery)?;
        Ok(delivery.id)
    }

    /// The same, decided in the same moment, after two attempts.
    fn decided(db: &Db, to: WebhookId, at: Instant, state: DeliveryState) -> DeliveryId {
        write(db, move |connection| {
            let id = owe(connection, to, at)?;
            let sql = |id: String| {
                format!(
                    "INSERT INTO deliveries (id, kind, lane, event_id, state, attempt,
                        insert_instant, settle_instant, attempt_instant, result)
                     SELECT id, kind, lane, event_id, '{state}', 2, insert_instant,
                        insert_instant, insert_instant, 'Success'
                     FROM outbox WHERE id = {id}"
                )
            };
            let literal = super::super::resend::listed(connection, &[id]);
            diesel::sql_query(sql(literal)).execute(connection)?;
            diesel::delete(outbox::table.find(id)).execute(connection)?;
            diesel::insert_into(attempts::table)
                .values((
                    attempts::delivery_id.eq(id),
                    attempts::number.eq(1),
                    attempts::instant.eq(at),
                    attempts::result.eq(crate::outbox::AttemptResult::Failure),
                ))
                .execute(connection)?;
            Ok(id)
        })
    }

    fn add_webhook(db: &Db) -> WebhookId {
        let id = WebhookId::random();
        write(db, move |c| webhook(id, Vec::new()).insert(c));
        id
    }

    /// Everything, to the end.
    fn prune_all(db: &Db) -> usize {
        let mut removed = 0;
        for what in Prunable::ALL {
            let mut cursor = Cursor::Start;
            while cursor != Cursor::End {
                let cutoff = NOW.minus(30 * DAY);
                let pruned = write(db, move |c| prune(c, what, cursor, cutoff, NOW));
                removed += pruned.removed;
                cursor = pruned.next;
            }
        }
        removed
    }

    /// Deliveries, attempts, events and what is owed.
    fn rows(db: &Db) -> [i64; 4] {
        write(db, |c| {
            Ok([
                deliveries::table.count().get_result(c)?,
                attempts::table.count().get_result(c)?,
                events::table.count().get_result(c)?,
                outbox::table.count().get_result(c)?,
            ])
        })
    }

    fn only_what_is_old_and_decided_goes(db: &Db) {
        let to = add_webhook(db);
        let (old, young) = (NOW.minus(31 * DAY), NOW.minus(29 * DAY));
        decided(db, to, old, DeliveryState::Delivered);
        decided(db, to, old, DeliveryState::Canceled);
        decided(db, to, young, DeliveryState::Delivered);
        write(db, move |c| owe(c, to, old));
        assert_eq!(rows(db), [3, 3, 4, 1]);
        // Two deliveries and their events.
        assert_eq!(prune_all(db), 4);
        assert_eq!(rows(db), [1, 1, 2, 1]);
        assert_eq!(prune_all(db), 0);
    }

    fn what_was_given_up_stays_as_long_as_its_webhook(db: &Db) {
        let to = add_webhook(db);
        decided(db, to, NOW.minus(31 * DAY), DeliveryState::Exhausted);
        assert_eq!(prune_all(db), 0);
        write(db, move |c| crate::model::webhook::Webhook::delete(c, to));
        assert_eq!(prune_all(db), 2);
        assert_eq!(rows(db), [0, 0, 0, 0]);
    }

    fn more_than_a_batch_goes_in_several(db: &Db) {
        let to = add_webhook(db);
        let old = NOW.minus(40 * DAY);
        decided(db, to, old, DeliveryState::Exhausted);
        for number in 0..3 {
            decided(db, to, old.plus(number * DAY), DeliveryState::Delivered);
        }
        write(db, move |connection| {
            for number in 0..600 {
                let event = EventRow {
                    id: id_of(old),
                    event_type: "test".to_owned(),
                    tenant_id: TenantId::random(),
                    action_log_id: None,
                    linked_object_id: None,
                    body: number.to_string(),
                    insert_instant: old,
                };
                event.insert(connection)?;
            }
            Ok(())
        });
        let cutoff = NOW.minus(30 * DAY);
        let first = write(db, move |c| {
            prune(c, Prunable::Events, Cursor::Start, cutoff, NOW)
        });
        assert!(first.removed <= 500 && first.next != Cursor::End);
        assert_eq!(first.removed + prune_all(db), 606);
        assert_eq!(rows(db), [1, 1, 1, 0]);
    }

    fn old_entries_of_the_event_log_go(db: &Db) {
        write(db, |connection| {
            for days in [40, 31, 29, 1] {
                let at = NOW.minus(days * DAY);
                EventLog::add(connection, at, EventLogType::Error, "odd")?;
            }
            Ok(())
        });
        assert_eq!(prune_all(db), 2);
    }

    fn several_may_prune_at_once_while_others_write(db: &Db) {
        let to = add_webhook(db);
        for number in 0..200 {
            let old = NOW.minus(31 * DAY).minus(Duration::from_millis(number));
            decided(db, to, old, DeliveryState::Delivered);
        }
        let removed: usize = std::thread::scope(|scope| {
            let pruning: Vec<_> = (0..2).map(|_| scope.spawn(|| prune_all(db))).collect();
            for _ in 0..50 {
                write(db, move |c| owe(c, to, NOW));
            }
            pruning
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(removed, 400);
        assert_eq!(rows(db), [0, 0, 50, 50]);
    }

    both_databases!(
        only_what_is_old_and_decided_goes,
        what_was_given_up_stays_as_long_as_its_webhook,
        more_than_a_batch_goes_in_several,
        old_entries_of_the_event_log_go,
        several_may_prune_at_once_while_others_write,
    );
}
