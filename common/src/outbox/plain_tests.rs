//! Promises of what is settled without a transaction.

use std::time::Duration;

use diesel::prelude::*;

use super::settle::settle_plain_blocking;
use super::*;
use crate::db::{Backend, Db};
use crate::id::{DeliveryId, DestinationId, EventId, LeaseToken, UserId};
use crate::schema::{attempts, deliveries, outbox as outbox_table};
use crate::test_support::{both_databases, write};
use crate::unix_millis::UnixMillis;

const NOW: UnixMillis = UnixMillis::from_millis(1_000_000);

/// Settles one claimed delivery of each of these destinations as a success.
fn successes(db: &Db, destinations: &[DestinationId]) -> Vec<Settlement> {
    for destination in destinations.iter().copied() {
        let delivery = NewDelivery {
            id: DeliveryId::sequential(),
            destination,
            payload: Payload::Webhook(EventId::sequential()),
            due_at: NOW,
            insert_instant: NOW,
        };
        write(db, move |c| insert(c, &delivery));
    }
    let request = ClaimRequest {
        kind: Kind::Webhook,
        now: NOW,
        lease_end: NOW.plus(Duration::from_secs(60)),
        owner: "test".to_owned(),
        limit: 100,
        per_destination: 100,
        destinations: Destinations::default(),
    };
    let mut claimed = as_worker_tests::claim(db, request);
    assert_eq!(claimed.len(), destinations.len());
    claimed.sort_unstable_by_key(|claimed| {
        destinations
            .iter()
            .position(|destination| *destination == claimed.destination)
    });
    claimed.iter().map(success).collect()
}

fn success(claimed: &Claimed) -> Settlement {
    Settlement {
        id: claimed.id,
        destination: claimed.destination,
        token: claimed.token,
        attempt: claimed.attempt,
        record: Some(AttemptRecord {
            instant: NOW,
            duration_millis: 12,
            result: AttemptResult::Success,
            status_code: Some(200),
            class: None,
            message: None,
            response_excerpt: Some("thanks".to_owned()),
        }),
        peer_signal: PeerSignal::Good,
        disposition: Disposition::Finished(DeliveryState::Delivered),
        probe: claimed.probe,
        now: NOW,
    }
}

/// Which of a batch are settled, by their place in it. None on SQLite, which has no use for it.
fn assert_plain(db: &Db, batch: &[Settlement], expected: &[usize]) {
    let plain = settle_plain_blocking(&db.with_generic_plans(), batch).unwrap();
    let is_plain = |s: &Settlement| plain.contains(&(s.id, s.token));
    let places: Vec<usize> = (0..batch.len()).filter(|n| is_plain(&batch[*n])).collect();
    match db.backend() {
        Backend::Sqlite => assert!(places.is_empty()),
        Backend::Postgres => assert_eq!(places, expected),
    }
    assert_eq!(places.len(), plain.len());
    let gone: Vec<DeliveryId> = places.iter().map(|place| batch[*place].id).collect();
    let left: Vec<DeliveryId> = write(db, |c| outbox_table::table.select(outbox_table::id).load(c));
    assert!(gone.iter().all(|id| !left.contains(id)));
    let delivered: i64 = write(db, move |c| {
        let delivered = deliveries::table.filter(deliveries::id.eq_any(gone));
        delivered.count().get_result(c)
    });
    assert_eq!(usize::try_from(delivered).unwrap(), places.len());
}

fn destinations<const N: usize>() -> [DestinationId; N] {
    std::array::from_fn(|_| DestinationId::random())
}

fn successes_of_destinations_that_do_well_need_nothing_else(db: &Db) {
    let [a, b] = destinations();
    let batch = successes(db, &[a, b, a]);
    assert_plain(db, &batch, &[0, 1, 2]);
    let settled = as_worker_tests::settle_in_a_transaction(db, batch);
    let (left, attempts): (i64, i64) = write(db, |c| {
        let left = outbox_table::table.count().get_result(c)?;
        Ok((left, attempts::table.count().get_result(c)?))
    });
    assert_eq!((left, attempts), (0, 0));
    // What is gone is nobody's any more.
    assert_eq!(
        settled.rows,
        if db.backend() == Backend::Sqlite {
            3
        } else {
            0
        }
    );
}

fn what_is_settled_either_way_reads_the_same(db: &Db) {
    let read = |db: &Db,
                id: DeliveryId|
     -> (DeliveryState, i32, UnixMillis, Option<i32>, Option<String>) {
        write(db, move |c| {
            deliveries::table
                .find(id)
                .select((
                    deliveries::state,
                    deliveries::attempt,
                    deliveries::settle_instant,
                    deliveries::duration_millis,
                    deliveries::response_excerpt,
                ))
                .first(c)
        })
    };
    let batch = successes(db, &destinations::<2>());
    let [first, second] = [batch[0].clone(), batch[1].clone()];
    let ids = [first.id, second.id];
    assert_eq!(as_worker_tests::settle(db, vec![first]).rows, 1);
    assert_eq!(
        as_worker_tests::settle_in_a_transaction(db, vec![second]).rows,
        1
    );
    assert_eq!(read(db, ids[0]), read(db, ids[1]));
    let state = (
        DeliveryState::Delivered,
        1,
        NOW,
        Some(12),
        Some("thanks".to_owned()),
    );
    assert_eq!(read(db, ids[0]), state);
}

fn a_destination_that_says_more_is_judged_by_all_it_says(db: &Db) {
    let [well, failing, probed, silent] = destinations();
    let mut batch = successes(db, &[well, failing, failing, probed, silent, silent]);
    batch[2].peer_signal = PeerSignal::Bad;
    batch[2].disposition = Disposition::Retry { at: NOW };
    batch[3].probe = Some(NOW);
    batch[5].peer_signal = PeerSignal::Silent;
    batch[5].disposition = Disposition::Release { at: NOW };
    assert_plain(db, &batch, &[0, 4]);
}

fn a_success_of_a_destination_that_failed_is_left(db: &Db) {
    let [well, failed, throttled, limited] = destinations();
    let batch = successes(db, &[well, failed, throttled, limited]);
    for (destination, failures, throttles) in [(failed, 1, 0), (throttled, 0, 1), (limited, 0, 0)] {
        let state = DestinationState {
            failures,
            throttles,
            theoretical_arrival_micros: 1,
            ..DestinationState::healthy(destination)
        };
        write(db, move |c| state.save(c));
    }
    assert_plain(db, &batch, &[0, 3]);
}

fn what_keeps_an_order_is_left(db: &Db) {
    let batch = successes(db, &destinations::<2>());
    let id = batch[1].id;
    write(db, move |c| {
        diesel::update(outbox_table::table.find(id))
            .set((
                outbox_table::order_key.eq(Some(UserId::random())),
                outbox_table::sequence.eq(Some(1i64)),
            ))
            .execute(c)
    });
    assert_plain(db, &batch, &[0]);
}

fn who_lost_the_lease_settles_nothing(db: &Db) {
    let mut batch = successes(db, &destinations::<2>());
    batch[0].token = LeaseToken::random();
    assert_plain(db, &batch, &[1]);
}

/// A batch may hold a lease that has lapsed and another one of the next.
fn tokens_count_only_with_their_own_delivery(db: &Db) {
    let mut batch = successes(db, &destinations::<1>());
    let other = batch[0].token;
    batch.append(&mut successes(db, &destinations::<1>()));
    let own = batch[1].token;
    assert_ne!(own, other);
    batch[1].token = other;
    batch[0].token = own;
    assert_plain(db, &batch, &[]);
}

both_databases!(
    successes_of_destinations_that_do_well_need_nothing_else,
    what_is_settled_either_way_reads_the_same,
    a_destination_that_says_more_is_judged_by_all_it_says,
    a_success_of_a_destination_that_failed_is_left,
    what_keeps_an_order_is_left,
    who_lost_the_lease_settles_nothing,
    tokens_count_only_with_their_own_delivery,
);
