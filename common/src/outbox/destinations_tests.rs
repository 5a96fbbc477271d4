//! Promises of destinations that all workers know of, on both databases.

use std::time::Duration;

use diesel::prelude::*;

use super::*;
use crate::db::Db;
use crate::id::{DeliveryId, DestinationId, EmailId, EventId, WebhookId};
use crate::model::webhook::Webhook;
use crate::schema::{destination_states as states, outbox as rows, webhooks};
use crate::test_support::{self, both_databases, claim_request, write};
use crate::unix_millis::UnixMillis;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn at(millis: u64) -> UnixMillis {
    NOW.plus(Duration::from_millis(millis))
}

fn add(db: &Db, destination: DestinationId, count: usize) {
    let new = move |_| NewDelivery {
        id: DeliveryId::sequential(),
        destination,
        payload: Payload::Webhook(EventId::sequential()),
        due_at: NOW,
        insert_instant: NOW,
    };
    write(db, move |c| {
        (0..count)
            .map(new)
            .try_for_each(|delivery| insert(c, &delivery))
    });
}

fn claim_at(db: &Db, now: UnixMillis) -> Vec<Claimed> {
    claim_kind_at(db, Kind::Webhook, now)
}

fn claim_kind_at(db: &Db, kind: Kind, now: UnixMillis) -> Vec<Claimed> {
    let request = ClaimRequest {
        per_destination: 16,
        ..claim_request(kind, now, 100)
    };
    as_worker_tests::claim(db, request)
}

fn settle_at(db: &Db, claimed: &[Claimed], peer_signal: PeerSignal, now: UnixMillis) -> Settled {
    let settlement = |claimed: &Claimed| settlement(claimed, peer_signal, now);
    let batch: Vec<Settlement> = claimed.iter().map(settlement).collect();
    as_worker_tests::settle(db, batch)
}

fn settlement(claimed: &Claimed, peer_signal: PeerSignal, now: UnixMillis) -> Settlement {
    let disposition = match peer_signal {
        PeerSignal::Good => Disposition::Finished(DeliveryState::Delivered),
        PeerSignal::Gone => Disposition::Hold,
        PeerSignal::Silent => Disposition::Release { at: now },
        _ => Disposition::Retry { at: now },
    };
    let record = (peer_signal != PeerSignal::Silent).then_some(AttemptRecord {
        instant: now,
        duration_millis: 1,
        result: AttemptResult::Failure,
        status_code: None,
        class: None,
        message: None,
        response_excerpt: None,
    });
    Settlement {
        peer_signal,
        ..Settlement::of(claimed, now, record, disposition)
    }
}

fn next(db: &Db, now: UnixMillis) -> Option<UnixMillis> {
    write(db, move |c| next_due(c, Kind::Webhook, now, &[]))
}

fn webhook(db: &Db) -> DestinationId {
    webhook_with(db, None)
}

fn limited_webhook(db: &Db, rate: i32) -> DestinationId {
    webhook_with(db, Some(rate))
}

fn webhook_with(db: &Db, rate_limit: Option<i32>) -> DestinationId {
    let mut webhook = test_support::webhook(WebhookId::random(), Vec::new());
    webhook.rate_limit = rate_limit;
    let destination = webhook.id.into();
    write(db, move |c| webhook.insert(c));
    destination
}

fn attempts_made(db: &Db) -> i64 {
    write(db, |c| {
        rows::table
            .filter(rows::attempt.gt(0))
            .count()
            .get_result(c)
    })
}

fn a_limited_destination_is_claimed_at_its_rate_whoever_asks(db: &Db) {
    let destination = limited_webhook(db, 5);
    add(db, destination, 40);
    assert_eq!(claim_at(db, NOW).len(), 5);
    assert_eq!(claim_at(db, NOW).len(), 0);
    assert_eq!(next(db, NOW), Some(at(200)));
    assert_eq!(claim_at(db, at(199)).len(), 0);
    assert_eq!(claim_at(db, at(200)).len(), 1);
    assert_eq!(claim_at(db, at(600)).len(), 2);
    assert_eq!(attempts_made(db), 8);
    // Only what was taken counts, not what might have been.
    let other = limited_webhook(db, 5);
    add(db, other, 1);
    assert_eq!(claim_at(db, at(600)).len(), 1);
    add(db, other, 10);
    assert_eq!(claim_at(db, at(600)).len(), 4);
}

fn a_limit_that_is_lifted_holds_nothing_back(db: &Db) {
    let destination = limited_webhook(db, 1);
    add(db, destination, 10);
    assert_eq!(claim_at(db, NOW).len(), 1);
    write(db, |c| {
        diesel::update(webhooks::table)
            .set(webhooks::rate_limit.eq(None::<i32>))
            .execute(c)
    });
    assert_eq!(next(db, NOW), Some(NOW));
    assert_eq!(claim_at(db, NOW).len(), 9);
}

fn a_resting_destination_costs_no_attempts_and_wakes_when_it_has_rested(db: &Db) {
    let destination = webhook(db);
    add(db, destination, 20);
    let claimed = claim_at(db, NOW);
    settle_at(
        db,
        &claimed[..1],
        PeerSignal::Overloaded(Some(30 * SECOND)),
        NOW,
    );
    assert_eq!(next(db, NOW), Some(at(30_000)));
    assert!(claim_at(db, at(29_999)).is_empty());
    assert_eq!(attempts_made(db), 16);
    assert!(!claim_at(db, at(30_000)).is_empty());
}

fn an_open_circuit_is_tried_with_one_delivery_whoever_asks(db: &Db) {
    let destination = webhook(db);
    add(db, destination, 40);
    let claimed = claim_at(db, NOW);
    let settled = settle_at(db, &claimed, PeerSignal::Bad, NOW);
    assert_eq!(
        settled.happenings,
        [(destination, DestinationEvent::CircuitOpened(at(1000)))]
    );
    assert_eq!(next(db, NOW), Some(at(1000)));
    assert!(claim_at(db, at(999)).is_empty());

    let probe = claim_at(db, at(1000));
    assert_eq!((probe.len(), probe[0].probe.is_some()), (1, true));
    assert!(claim_at(db, at(1000)).is_empty(), "a second probe");
    assert_eq!(next(db, at(1000)), Some(at(61_000)));
    // It was not sent after all: somebody else may try.
    settle_at(db, &probe, PeerSignal::Silent, at(1100));
    let probe = claim_at(db, at(1100));
    assert_eq!(probe.len(), 1);
    settle_at(db, &probe, PeerSignal::Bad, at(1200));
    assert!(claim_at(db, at(3199)).is_empty());

    let probe = claim_at(db, at(3200));
    let settled = settle_at(db, &probe, PeerSignal::Good, at(3200));
    assert_eq!(
        settled.happenings,
        [(destination, DestinationEvent::CircuitClosed)]
    );
    assert_eq!(claim_at(db, at(3200)).len(), 16);
    assert_eq!(write(db, |c| states::table.count().get_result::<i64>(c)), 0);
}

fn a_lost_probe_is_followed_by_another(db: &Db) {
    let destination = webhook(db);
    add(db, destination, 20);
    let claimed = claim_at(db, NOW);
    settle_at(db, &claimed, PeerSignal::Bad, NOW);
    assert_eq!(claim_at(db, at(1000)).len(), 1);
    assert!(claim_at(db, at(60_999)).is_empty());
    let probe = claim_at(db, at(61_000));
    assert_eq!((probe.len(), probe[0].probe.is_some()), (1, true));
}

fn a_success_of_a_destination_that_was_well_at_its_claim_is_taken_note_of(db: &Db) {
    let destination = webhook(db);
    add(db, destination, 2);
    let claimed = claim_at(db, NOW);
    settle_at(db, &claimed[..1], PeerSignal::Bad, NOW);
    let failing = write(db, move |c| destination_state(c, destination));
    assert_eq!((failing.failures, failing.failing_since), (1, Some(NOW)));
    settle_at(db, &claimed[1..], PeerSignal::Good, at(5));
    let well = write(db, move |c| destination_state(c, destination));
    assert_eq!(well, DestinationState::healthy(destination));
}

fn a_disabled_destination_holds_what_it_has_and_what_comes(db: &Db) {
    let destination = webhook(db);
    add(db, destination, 1);
    let claimed = claim_at(db, NOW);
    let settled = settle_at(db, &claimed, PeerSignal::Gone, NOW);
    let disabled = DestinationEvent::Disabled(DisabledReason::Gone);
    assert_eq!(settled.happenings, [(destination, disabled)]);
    add(db, destination, 20);
    let much_later = NOW.plus(1000 * 86_400 * SECOND);
    assert!(claim_at(db, much_later).is_empty());
    assert_eq!(next(db, much_later), None);
    // The one that met the end begins its schedule anew.
    let id = claimed[0].id;
    let held: (i32, i32, i16) = write(db, move |c| {
        rows::table
            .find(id)
            .select((rows::attempt, rows::base_attempt, rows::priority))
            .first(c)
    });
    assert_eq!(held, (1, 1, 1));
}

fn what_was_handed_back_before_it_was_tried_is_fresh(db: &Db) {
    let destination = webhook(db);
    add(db, destination, 1);
    let priority = |db: &Db| write(db, |c| rows::table.select(rows::priority).first::<i16>(c));
    let claimed = claim_at(db, NOW);
    assert_eq!(priority(db), 1);
    settle_at(db, &claimed, PeerSignal::Silent, NOW);
    assert_eq!(priority(db), 0);
    let claimed = claim_at(db, NOW);
    settle_at(db, &claimed, PeerSignal::Bad, NOW);
    let claimed = claim_at(db, NOW);
    assert_eq!(claimed[0].attempt, 2);
    settle_at(db, &claimed, PeerSignal::Silent, NOW);
    assert_eq!(priority(db), 1);
}

/// As when the clock jumps ahead, and a worker claims anew what it is sending.
fn a_batch_may_hold_a_lease_that_has_lapsed_and_the_next(db: &Db) {
    for peer_signal in [PeerSignal::Bad, PeerSignal::Good] {
        let destination = webhook(db);
        add(db, destination, 1);
        let lapsed = claim_at(db, NOW);
        let next = claim_at(db, at(60_000));
        assert_eq!(next[0].attempt, 2);
        let both = [lapsed, next].concat();
        assert_eq!(settle_at(db, &both, peer_signal, at(61_000)).rows, 1);
        let left = claim_at(db, at(61_000));
        assert_eq!(left.len(), usize::from(peer_signal == PeerSignal::Bad));
        settle_at(db, &left, PeerSignal::Good, at(61_000));
    }
}

fn a_late_failure_of_a_deleted_webhook_leaves_no_state_behind(db: &Db) {
    let last = |claimed: &Claimed| Settlement {
        disposition: Disposition::Finished(DeliveryState::Exhausted),
        ..settlement(claimed, PeerSignal::Bad, at(5))
    };
    let destinations = [webhook(db), webhook(db), webhook(db)];
    for destination in destinations {
        add(db, destination, 1);
    }
    let claimed = claim_at(db, NOW);
    let deleted = claimed[0].destination;
    write(db, move |c| {
        Webhook::delete(c, deleted.into())?;
        end_of_webhook(c, deleted.into(), NOW)
    });
    // One that is tried again, one that is not, and one whose webhook is still there.
    let gone = claimed[1].destination;
    write(db, move |c| Webhook::delete(c, gone.into()));
    let batch = vec![
        settlement(&claimed[0], PeerSignal::Gone, at(5)),
        last(&claimed[1]),
        last(&claimed[2]),
    ];
    let settled = as_worker_tests::settle(db, batch);
    assert_eq!((settled.rows, settled.happenings), (3, vec![]));
    let known: Vec<DestinationId> =
        write(db, |c| states::table.select(states::destination).load(c));
    assert_eq!(known, [claimed[2].destination]);
}

/// Its destination is no webhook's either.
fn a_failure_of_a_mail_server_is_remembered(db: &Db) {
    let destination = DestinationId::random();
    write(db, move |c| {
        let delivery = NewDelivery {
            id: DeliveryId::sequential(),
            destination,
            payload: Payload::Email(EmailId::sequential(), "x@hooli.example".to_owned()),
            due_at: NOW,
            insert_instant: NOW,
        };
        insert(c, &delivery)
    });
    let claimed = claim_kind_at(db, Kind::Email, NOW);
    settle_at(db, &claimed, PeerSignal::Bad, NOW);
    assert_eq!(
        write(db, move |c| destination_state(c, destination)).failures,
        1
    );
}

both_databases!(
    a_limited_destination_is_claimed_at_its_rate_whoever_asks,
    a_limit_that_is_lifted_holds_nothing_back,
    a_resting_destination_costs_no_attempts_and_wakes_when_it_has_rested,
    an_open_circuit_is_tried_with_one_delivery_whoever_asks,
    a_lost_probe_is_followed_by_another,
    a_success_of_a_destination_that_was_well_at_its_claim_is_taken_note_of,
    a_disabled_destination_holds_what_it_has_and_what_comes,
    what_was_handed_back_before_it_was_tried_is_fresh,
    a_batch_may_hold_a_lease_that_has_lapsed_and_the_next,
    a_late_failure_of_a_deleted_webhook_leaves_no_state_behind,
    a_failure_of_a_mail_server_is_remembered,
);
