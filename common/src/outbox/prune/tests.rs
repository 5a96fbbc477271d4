//! What pruning leaves alone, on both databases.

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::db::{Db, DbError};
use crate::id::{TenantId, WebhookId};
use crate::model::event::EventRow;
use crate::model::event_log::{EventLog, EventLogType};
use crate::outbox::{NewDelivery, Payload, insert};
use crate::test_support::{both_databases, webhook, write};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const NOW: UnixMillis = UnixMillis::from_millis(1_795_300_000_000);

/// A new Id of that instant.
fn id_of<T: From<Uuid>>(at: UnixMillis) -> T {
    let random = Uuid::new_v4().into_bytes();
    let [.., a, b, c, d, e, f, g, h, i, j] = random;
    let millis = u64::try_from(at.millis()).unwrap();
    uuid::Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j])
        .into_uuid()
        .into()
}

/// An event that is owed to a webhook since then.
fn owe(connection: &mut AnyConnection, to: WebhookId, at: UnixMillis) -> QueryResult<DeliveryId> {
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
        destination: to.into(),
        payload: Payload::Webhook(event.id),
        due_at: at,
        insert_instant: at,
    };
    insert(connection, &delivery)?;
    Ok(delivery.id)
}

/// The same, decided in the same moment, after two attempts.
fn decided(db: &Db, to: WebhookId, at: UnixMillis, state: DeliveryState) -> DeliveryId {
    write(db, move |connection| {
        let id = owe(connection, to, at)?;
        let sql = |id: String| {
            format!(
                "INSERT INTO deliveries (id, kind, destination, event_id, state, attempt,
                    insert_instant, settle_instant, attempt_instant, result)
                 SELECT id, kind, destination, event_id, '{state}', 2, insert_instant,
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

/// One batch.
fn prune_some(db: &Db, what: Prunable, cursor: Cursor) -> (usize, Cursor) {
    let cutoff = NOW.minus(30 * DAY);
    let found = db.read_blocking(|c| Ok::<_, DbError>(look(c, what, cursor, cutoff)?));
    let found = found.unwrap();
    let next = found.next;
    match found.is_empty() {
        true => (0, next),
        false => (write(db, move |c| remove(c, &found, cutoff, NOW)), next),
    }
}

/// Everything, to the end.
fn prune_all(db: &Db) -> usize {
    let mut removed = 0;
    for what in Prunable::ALL {
        let mut cursor = Cursor::Start;
        while cursor != Cursor::End {
            let (rows, next) = prune_some(db, what, cursor);
            removed += rows;
            cursor = next;
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
    let (removed, next) = prune_some(db, Prunable::Events, Cursor::Start);
    assert!(removed <= 500 && next != Cursor::End);
    assert_eq!(removed + prune_all(db), 606);
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

/// So much is kept that a look at it takes a while. All the time somebody else has the one
/// transaction of SQLite that writes, or on PostgreSQL lets nobody write to the tables.
fn what_stays_is_looked_at_without_the_right_to_write(db: &Db) {
    let to = add_webhook(db);
    for _ in 0..1_200 {
        decided(db, to, NOW.minus(31 * DAY), DeliveryState::Exhausted);
    }
    let others = crate::test_support::hold_writes(db);
    for what in [
        Prunable::Deliveries,
        Prunable::Events,
        Prunable::Emails,
        Prunable::EventLogs,
    ] {
        let (mut looks, mut cursor) = (0, Cursor::Start);
        while cursor != Cursor::End {
            let (removed, next) = prune_some(db, what, cursor);
            assert_eq!(removed, 0);
            looks += 1;
            cursor = next;
        }
        let many = matches!(what, Prunable::Deliveries | Prunable::Events);
        assert_eq!(looks, if many { 3 } else { 1 }, "{what:?}");
    }
    drop(others);
    // What comes behind all that is found.
    decided(
        db,
        to,
        NOW.minus(30 * DAY).minus(DAY / 2),
        DeliveryState::Delivered,
    );
    assert_eq!(prune_all(db), 2);
}

both_databases!(
    what_stays_is_looked_at_without_the_right_to_write,
    only_what_is_old_and_decided_goes,
    what_was_given_up_stays_as_long_as_its_webhook,
    more_than_a_batch_goes_in_several,
    old_entries_of_the_event_log_go,
    several_may_prune_at_once_while_others_write,
);
