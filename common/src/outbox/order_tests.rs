//! Promises of order, on both databases.

use std::sync::mpsc;
use std::time::Duration;

use diesel::prelude::*;

use super::order::{Stranded, free_stranded, insert_in_order, stranded};
use super::*;
use crate::db::{Db, DbError, Json};
use crate::deliveries::{DeliveryStatus, Details};
use crate::id::{DeliveryId, DestinationId, EventId, TenantId, UserId, WebhookId};
use crate::schema::outbox as outbox_table;
use crate::test_support::{both_databases, claim_request, hold_writes, webhook, write};
use crate::unix_millis::UnixMillis;

const NOW: UnixMillis = UnixMillis::from_millis(1_000_000);
const DELIVERED: Disposition = Disposition::Finished(DeliveryState::Delivered);

/// Users that there are: on PostgreSQL their rows are what is locked.
fn add_users<const N: usize>(db: &Db) -> [UserId; N] {
    let tenant = TenantId::random();
    let users: [UserId; N] = std::array::from_fn(|_| UserId::random());
    write(db, move |connection| {
        use crate::schema::{tenants, users as users_table};
        let none = || Json(serde_json::Map::<String, serde_json::Value>::new());
        diesel::insert_into(tenants::table)
            .values((
                tenants::id.eq(tenant),
                tenants::name.eq("Default"),
                tenants::name_normalized.eq("default"),
                tenants::is_default.eq(true),
                tenants::data.eq(none()),
                tenants::email_configuration.eq(none()),
                tenants::event_configuration.eq(none()),
                tenants::settings.eq(none()),
                tenants::insert_instant.eq(NOW),
                tenants::last_update_instant.eq(NOW),
            ))
            .execute(connection)?;
        for user in users {
            diesel::insert_into(users_table::table)
                .values((
                    users_table::id.eq(user),
                    users_table::tenant_id.eq(tenant),
                    users_table::active.eq(true),
                    users_table::preferred_languages.eq("[]"),
                    users_table::data.eq("{}"),
                    users_table::insert_instant.eq(NOW),
                    users_table::last_update_instant.eq(NOW),
                ))
                .execute(connection)?;
        }
        Ok(())
    });
    users
}

fn add(db: &Db, destination: DestinationId, user: UserId) -> DeliveryId {
    let delivery = NewDelivery {
        id: DeliveryId::sequential(),
        destination,
        payload: Payload::Webhook(EventId::sequential()),
        due_at: NOW,
        insert_instant: NOW,
    };
    let id = delivery.id;
    write(db, move |c| insert_in_order(c, &delivery, user));
    id
}

fn add_many(db: &Db, destination: DestinationId, user: UserId, count: usize) {
    for _ in 0..count {
        add(db, destination, user);
    }
}

fn claim_due(db: &Db, now: UnixMillis) -> Vec<Claimed> {
    as_worker_tests::claim(db, claim_request(Kind::Webhook, now, 100))
}

fn settle_as(db: &Db, claimed: &[Claimed], disposition: Disposition, now: UnixMillis) {
    let record = AttemptRecord {
        instant: now,
        duration_millis: 12,
        result: AttemptResult::Failure,
        status_code: None,
        class: None,
        message: None,
        response_excerpt: None,
    };
    let settlement =
        |claimed: &Claimed| Settlement::of(claimed, now, Some(record.clone()), disposition);
    let batch: Vec<Settlement> = claimed.iter().map(settlement).collect();
    as_worker_tests::settle(db, batch);
}

/// Frees what is stranded, and says how much that was, and how many looks it took.
fn free_all(db: &Db) -> (usize, usize) {
    let (mut freed, mut looks, mut after) = (0, 0, None);
    loop {
        let found = db.read_blocking(|c| Ok::<_, DbError>(stranded(c, after)?));
        let Stranded { queues, next } = found.unwrap();
        looks += 1;
        if !queues.is_empty() {
            freed += write(db, move |c| free_stranded(c, &queues, NOW));
        }
        match next {
            Some(next) => after = Some(next),
            None => return (freed, looks),
        }
    }
}

fn ids(claimed: &[Claimed]) -> Vec<DeliveryId> {
    let mut ids: Vec<DeliveryId> = claimed.iter().map(|claimed| claimed.id).collect();
    ids.sort_unstable();
    ids
}

fn a_users_deliveries_go_one_after_the_other_and_others_flow(db: &Db) {
    let destination = DestinationId::random();
    let [rita, rolf] = add_users(db);
    let ritas = [
        add(db, destination, rita),
        add(db, destination, rita),
        add(db, destination, rita),
    ];
    let rolfs = add(db, destination, rolf);
    let mut now = NOW;
    let first = claim_due(db, now);
    assert_eq!(ids(&first), [ritas[0], rolfs]);
    let (of_rita, of_rolf): (Vec<Claimed>, Vec<Claimed>) = first
        .into_iter()
        .partition(|claimed| claimed.id == ritas[0]);
    settle_as(db, &of_rolf, DELIVERED, now);
    // The first fails twice, and those behind it wait.
    let mut trying = of_rita;
    for _ in 0..2 {
        now = now.plus(Duration::from_secs(5));
        settle_as(db, &trying, Disposition::Retry { at: now }, now);
        trying = claim_due(db, now);
        assert_eq!(ids(&trying), [ritas[0]]);
    }
    let another = add(db, destination, rolf);
    let meanwhile = claim_due(db, now);
    assert_eq!(ids(&meanwhile), [another]);
    settle_as(db, &meanwhile, DELIVERED, now);
    for (done, next) in [(ritas[0], ritas[1]), (ritas[1], ritas[2])] {
        assert_eq!(ids(&trying), [done]);
        settle_as(db, &trying, DELIVERED, now);
        trying = claim_due(db, now);
        assert_eq!(ids(&trying), [next]);
    }
}

fn what_is_given_up_frees_the_next_as_well(db: &Db) {
    let to = WebhookId::random();
    write(db, move |c| webhook(to, Vec::new()).insert(c));
    let destination = to.into();
    let [rita] = add_users(db);
    let (first, second) = (add(db, destination, rita), add(db, destination, rita));
    let parked = write(db, move |c| Details::find(c, second)).unwrap();
    assert_eq!(parked.predecessor, Some(first));
    assert_eq!(parked.standing(NOW), DeliveryStatus::Pending);
    let explanation = parked.explanation(NOW);
    assert!(explanation.contains(&format!("delivery {first} comes first")));
    let claimed = claim_due(db, NOW);
    settle_as(
        db,
        &claimed,
        Disposition::Finished(DeliveryState::Exhausted),
        NOW,
    );
    assert_eq!(ids(&claim_due(db, NOW)), [second]);
}

fn webhooks_do_not_wait_for_each_other(db: &Db) {
    let [rita] = add_users(db);
    let one = add(db, DestinationId::random(), rita);
    let other = add(db, DestinationId::random(), rita);
    assert_eq!(ids(&claim_due(db, NOW)), [one, other]);
}

fn what_is_stranded_is_freed(db: &Db) {
    let destination = DestinationId::random();
    let [rita, rolf] = add_users(db);
    let (first, second) = (add(db, destination, rita), add(db, destination, rita));
    let rolfs = add(db, destination, rolf);
    let behind = add(db, destination, rolf);
    // Something else takes it out of the outbox.
    write(db, move |c| {
        diesel::delete(outbox_table::table.find(first)).execute(c)
    });
    assert_eq!(free_all(db), (1, 1));
    assert_eq!(free_all(db), (0, 1));
    let claimed = claim_due(db, NOW);
    assert_eq!(ids(&claimed), [second, rolfs]);
    assert!(!ids(&claimed).contains(&behind));
}

/// All the time somebody else has the right to write.
fn a_long_queue_is_looked_at_without_the_right_to_write(db: &Db) {
    let [rita, rolf] = add_users(db);
    let destinations = [DestinationId::random(), DestinationId::random()];
    for destination in destinations {
        add_many(db, destination, rita, 400);
    }
    let others = hold_writes(db);
    assert_eq!(free_all(db), (0, 2));
    drop(others);
    let first = add(db, destinations[0], rolf);
    add(db, destinations[0], rolf);
    write(db, move |c| {
        diesel::delete(outbox_table::table.find(first)).execute(c)
    });
    assert_eq!(free_all(db), (1, 2));
}

/// Those who take actions on one user at the same time get different places, and one of
/// them the first.
fn concurrent_takers_queue_up(db: &Db) {
    let destination = DestinationId::random();
    let [rita] = add_users(db);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| add_many(db, destination, rita, 10));
        }
    });
    let mut places: Vec<(Option<i64>, i16)> = write(db, |c| {
        outbox_table::table
            .select((outbox_table::sequence, outbox_table::priority))
            .load(c)
    });
    places.sort_unstable();
    let expected = |place: i64| {
        (
            Some(place),
            if place == 1 {
                PRIORITY_NEW
            } else {
                PRIORITY_BLOCKED
            },
        )
    };
    assert_eq!(places, (1..=40).map(expected).collect::<Vec<_>>());
}

/// Whoever decides the last one of a queue waits for whoever is parking behind it: otherwise
/// neither would free what is parked.
fn nothing_is_parked_behind_what_goes_at_the_same_time(db: &Db) {
    let destination = DestinationId::random();
    let [rita] = add_users(db);
    let first = add(db, destination, rita);
    let claimed = claim_due(db, NOW);
    let (parked, has_parked) = mpsc::channel();
    let (settled, has_settled) = mpsc::channel::<()>();
    let second = NewDelivery {
        id: DeliveryId::sequential(),
        destination,
        payload: Payload::Webhook(EventId::sequential()),
        due_at: NOW,
        insert_instant: NOW,
    };
    let behind = second.id;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            write(db, move |c| {
                insert_in_order(c, &second, rita)?;
                parked.send(()).unwrap();
                // Comes to nothing if the other one waits, as it has to.
                let _ = has_settled.recv_timeout(Duration::from_millis(500));
                Ok(())
            });
        });
        has_parked.recv().unwrap();
        settle_as(db, &claimed, DELIVERED, NOW);
        let _ = settled.send(());
    });
    assert_eq!(ids(&claimed), [first]);
    assert_eq!(ids(&claim_due(db, NOW)), [behind]);
}

both_databases!(
    a_long_queue_is_looked_at_without_the_right_to_write,
    a_users_deliveries_go_one_after_the_other_and_others_flow,
    what_is_given_up_frees_the_next_as_well,
    webhooks_do_not_wait_for_each_other,
    what_is_stranded_is_freed,
    concurrent_takers_queue_up,
    nothing_is_parked_behind_what_goes_at_the_same_time,
);
