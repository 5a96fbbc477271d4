//! Promises of claim and settle, on both databases.

use std::time::Duration;

use diesel::prelude::*;

use super::*;
use crate::db::Db;
use crate::id::{DeliveryId, DestinationId, EmailId, EventId};
use crate::schema::{attempts, deliveries, outbox as outbox_table};
use crate::test_support::{both_databases, claim_request, write};
use crate::unix_millis::UnixMillis;

const NOW: UnixMillis = UnixMillis::from_millis(1_000_000);
const LEASE: Duration = Duration::from_secs(60);

fn add(db: &Db, destination: DestinationId, due_at: UnixMillis) -> DeliveryId {
    let id = DeliveryId::sequential();
    let delivery = NewDelivery {
        id,
        destination,
        payload: Payload::Webhook(EventId::sequential()),
        due_at,
        insert_instant: NOW,
    };
    write(db, move |c| insert(c, &delivery));
    id
}

fn request(now: UnixMillis) -> ClaimRequest {
    ClaimRequest {
        per_destination: 5,
        ..claim_request(Kind::Webhook, now, 10)
    }
}

fn claim_all(db: &Db, request: ClaimRequest) -> Vec<Claimed> {
    as_worker_tests::claim(db, request)
}

fn settlement(claimed: &Claimed, disposition: Disposition) -> Settlement {
    let result = match disposition {
        Disposition::Finished(DeliveryState::Delivered) => AttemptResult::Success,
        _ => AttemptResult::Failure,
    };
    let record = AttemptRecord {
        instant: NOW,
        duration_millis: 12,
        result,
        status_code: Some(503),
        class: Some("http".to_owned()),
        message: None,
        response_excerpt: Some("later".to_owned()),
    };
    Settlement {
        peer_signal: match result {
            AttemptResult::Success => PeerSignal::Good,
            _ => PeerSignal::Bad,
        },
        ..Settlement::of(claimed, NOW, Some(record), disposition)
    }
}

fn settle_all(db: &Db, batch: Vec<Settlement>) -> usize {
    as_worker_tests::settle(db, batch).rows
}

fn rows(db: &Db) -> (i64, i64, i64) {
    write(db, |c| {
        Ok((
            outbox_table::table.count().get_result(c)?,
            deliveries::table.count().get_result(c)?,
            attempts::table.count().get_result(c)?,
        ))
    })
}

fn what_is_claimed_is_nobody_elses_until_the_lease_ends(db: &Db) {
    let id = add(db, DestinationId::random(), NOW);
    let first = claim_all(db, request(NOW));
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].id, first[0].attempt), (id, 1));
    assert!(claim_all(db, request(NOW.plus(Duration::from_secs(59)))).is_empty());

    let second = claim_all(db, request(NOW.plus(LEASE)));
    assert_eq!((second[0].id, second[0].attempt), (id, 2));
    assert_ne!(first[0].token, second[0].token);
    // The first attempt is on record as one whose outcome nobody knows.
    let unknown: (i32, AttemptResult) = write(db, |c| {
        attempts::table
            .select((attempts::number, attempts::result))
            .first(c)
    });
    assert_eq!(unknown, (1, AttemptResult::Unknown));
}

fn who_lost_the_lease_cannot_settle(db: &Db) {
    add(db, DestinationId::random(), NOW);
    let late = claim_all(db, request(NOW)).remove(0);
    let current = claim_all(db, request(NOW.plus(LEASE))).remove(0);
    let delivered = Disposition::Finished(DeliveryState::Delivered);
    for disposition in [
        delivered,
        Disposition::Retry { at: NOW },
        Disposition::Release { at: NOW },
    ] {
        assert_eq!(settle_all(db, vec![settlement(&late, disposition)]), 0);
    }
    assert_eq!(rows(db), (1, 0, 1));
    assert_eq!(settle_all(db, vec![settlement(&current, delivered)]), 1);
    assert_eq!(rows(db), (0, 1, 1));
}

fn one_destination_gets_no_more_than_its_share_of_a_claim(db: &Db) {
    let (crowded, other) = (DestinationId::random(), DestinationId::random());
    for _ in 0..20 {
        add(db, crowded, NOW);
    }
    let last = add(db, other, NOW);
    let claimed = claim_all(db, request(NOW));
    assert_eq!(
        claimed.iter().filter(|c| c.destination == crowded).count(),
        5
    );
    assert!(claimed.iter().any(|c| c.id == last));
}

fn destinations_to_skip_and_rows_not_yet_due_are_left_alone(db: &Db) {
    let (skipped, later) = (DestinationId::random(), DestinationId::random());
    add(db, skipped, NOW);
    add(db, later, NOW.plus(Duration::from_millis(1)));
    let but = |closed| ClaimRequest {
        destinations: Destinations {
            closed,
            ..Destinations::default()
        },
        ..request(NOW)
    };
    assert!(claim_all(db, but(vec![skipped])).is_empty());
    let next =
        |skip: Vec<DestinationId>| write(db, move |c| next_due(c, Kind::Webhook, NOW, &skip));
    assert_eq!(next(vec![]), Some(NOW));
    assert_eq!(
        next(vec![skipped]),
        Some(NOW.plus(Duration::from_millis(1)))
    );
    assert_eq!(next(vec![skipped, later]), None);
    assert_eq!(claim_all(db, but(vec![later])).len(), 1);
}

fn the_kinds_do_not_see_each_other(db: &Db) {
    let destination = DestinationId::random();
    let email = NewDelivery {
        id: DeliveryId::sequential(),
        destination,
        payload: Payload::Email(EmailId::sequential(), "a@b.example".to_owned()),
        due_at: NOW,
        insert_instant: NOW,
    };
    let payload = email.payload.clone();
    write(db, move |c| insert(c, &email));
    assert!(claim_all(db, request(NOW)).is_empty());
    let claimed = claim_all(
        db,
        ClaimRequest {
            kind: Kind::Email,
            ..request(NOW)
        },
    );
    assert_eq!(claimed[0].payload, payload);
}

fn a_batch_is_settled_each_by_its_verdict(db: &Db) {
    let destination = DestinationId::random();
    for _ in 0..4 {
        add(db, destination, NOW);
    }
    let claimed = claim_all(db, request(NOW));
    let later = NOW.plus(Duration::from_secs(5));
    let batch = vec![
        settlement(&claimed[0], Disposition::Finished(DeliveryState::Delivered)),
        settlement(&claimed[1], Disposition::Finished(DeliveryState::Exhausted)),
        settlement(&claimed[2], Disposition::Retry { at: later }),
        Settlement {
            record: None,
            ..settlement(&claimed[3], Disposition::Release { at: NOW })
        },
    ];
    assert_eq!(settle_all(db, batch), 4);
    assert_eq!(rows(db), (2, 2, 1));
    // What was handed back has not used an attempt; what is retried has.
    let again = claim_all(db, request(NOW));
    assert_eq!(
        (again.len(), again[0].id, again[0].attempt),
        (1, claimed[3].id, 1)
    );
    let retried = claim_all(db, request(later));
    assert_eq!((retried[0].id, retried[0].attempt), (claimed[2].id, 2));
    let id = claimed[1].id;
    let kept: (DeliveryState, i32, Option<i32>, Option<String>) = write(db, move |c| {
        deliveries::table
            .find(id)
            .select((
                deliveries::state,
                deliveries::attempt,
                deliveries::status_code,
                deliveries::response_excerpt,
            ))
            .first(c)
    });
    assert_eq!(
        kept,
        (
            DeliveryState::Exhausted,
            1,
            Some(503),
            Some("later".to_owned())
        )
    );
}

fn a_retry_of_what_was_not_tried_uses_no_attempt(db: &Db) {
    add(db, DestinationId::random(), NOW);
    let claimed = claim_all(db, request(NOW));
    let untried = Settlement {
        record: None,
        ..settlement(&claimed[0], Disposition::Retry { at: NOW })
    };
    assert_eq!(settle_all(db, vec![untried]), 1);
    assert_eq!(rows(db), (1, 0, 0));
    assert_eq!(claim_all(db, request(NOW))[0].attempt, 1);
}

both_databases!(
    what_is_claimed_is_nobody_elses_until_the_lease_ends,
    who_lost_the_lease_cannot_settle,
    one_destination_gets_no_more_than_its_share_of_a_claim,
    destinations_to_skip_and_rows_not_yet_due_are_left_alone,
    the_kinds_do_not_see_each_other,
    a_batch_is_settled_each_by_its_verdict,
    a_retry_of_what_was_not_tried_uses_no_attempt,
);
