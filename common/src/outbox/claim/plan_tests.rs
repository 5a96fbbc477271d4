//! Promises of who gets how much of a claim.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::plan::{Plan, Want};
use super::scan::Head;
use super::{ClaimRequest, Destinations};
use crate::id::DestinationId;
use crate::outbox::Kind;
use crate::outbox::health::{Circuit, DestinationState};
use crate::unix_millis::UnixMillis;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);
const LEASE: Duration = Duration::from_secs(60);

fn destination(number: u128) -> DestinationId {
    Uuid::from_u128(number).into()
}

fn head(number: u128, priority: i16, age: u64) -> Head {
    Head {
        priority,
        due_at: NOW.minus(Duration::from_millis(age)),
        state: DestinationState::healthy(destination(number)),
        rate_limit: None,
    }
}

fn request(limit: usize, per_destination: usize) -> ClaimRequest {
    ClaimRequest {
        kind: Kind::Webhook,
        now: NOW,
        lease_end: NOW.plus(LEASE),
        owner: "test".to_owned(),
        limit,
        per_destination,
        destinations: Destinations::default(),
    }
}

/// Lets destinations have so many rows, and returns what each gets by destination and priority.
fn play(
    heads: &[Head],
    request: &ClaimRequest,
    rows: impl Fn(u128, i16) -> usize,
) -> BTreeMap<(u128, i16), usize> {
    let mut plan = Plan::new(heads, request);
    let mut got = BTreeMap::<(u128, i16), usize>::new();
    for _ in 0..1000 {
        let wants = plan.round();
        if wants.is_empty() {
            return got;
        }
        for want in wants {
            let Want {
                destination,
                priority,
                rows: wanted,
            } = want;
            let number = destination.uuid().as_u128();
            let has = got.entry((number, priority)).or_default();
            let taken = wanted.min(rows(number, priority) - *has);
            *has += taken;
            plan.took(&want, taken);
        }
    }
    panic!("it never ends");
}

#[test]
fn every_destination_gets_its_share_before_any_gets_more() {
    let heads: Vec<Head> = (1..=10u64).map(|n| head(n.into(), 0, 1000 - n)).collect();
    // The oldest destination has a heap, the others one row each.
    let rows = |number, _| if number == 1 { 1_000_000 } else { 1 };
    let got = play(&heads, &request(20, 16), rows);
    assert_eq!(got[&(1, 0)], 11);
    assert!((2..=10).all(|number| got[&(number, 0)] == 1));
}

#[test]
fn heaps_share_a_claim_evenly_and_nobody_gets_more_than_a_destination_may() {
    let heads: Vec<Head> = (1..=4).map(|n| head(n, 0, 10)).collect();
    let got = play(&heads, &request(100, 16), |_, _| 1000);
    assert!(got.values().all(|rows| *rows == 16));
    let got = play(&heads, &request(40, 16), |_, _| 1000);
    assert!(got.values().all(|rows| *rows == 10));
}

#[test]
fn fresh_rows_go_first_and_retries_get_a_quarter() {
    let heads = [head(1, 0, 5), head(1, 1, 500)];
    let got = play(&heads, &request(100, 16), |_, _| 1000);
    assert_eq!((got[&(1, 0)], got[&(1, 1)]), (12, 4));
    // What one side leaves, the other gets.
    let got = play(&heads, &request(100, 16), |_, priority| {
        if priority == 0 { 2 } else { 1000 }
    });
    assert_eq!((got[&(1, 0)], got[&(1, 1)]), (2, 14));
}

#[test]
fn a_destination_of_one_serves_whatever_waits_longer() {
    let got = play(
        &[head(1, 0, 5), head(1, 1, 500)],
        &request(100, 1),
        |_, _| 9,
    );
    assert_eq!(got.get(&(1, 1)), Some(&1));
    assert_eq!(got.get(&(1, 0)), None);
    let got = play(
        &[head(1, 0, 500), head(1, 1, 5)],
        &request(100, 1),
        |_, _| 9,
    );
    assert_eq!(got.get(&(1, 0)), Some(&1));
}

#[test]
fn a_crowd_of_retrying_destinations_leaves_fresh_ones_their_turn() {
    let mut heads: Vec<Head> = (1..=100).map(|n| head(n, 1, 1000)).collect();
    heads.extend((101..=150).map(|n| head(n, 0, 1)));
    let got = play(&heads, &request(40, 16), |_, _| 1000);
    let fresh: usize = got
        .iter()
        .filter(|((_, priority), _)| *priority == 0)
        .map(|(_, n)| n)
        .sum();
    assert_eq!((fresh, got.values().sum::<usize>()), (30, 40));
}

#[test]
fn suspects_get_no_more_than_theirs_and_closed_destinations_nothing() {
    let heads: Vec<Head> = (1..=4u64).map(|n| head(n.into(), 0, 100 - n)).collect();
    let request = ClaimRequest {
        destinations: Destinations {
            closed: vec![destination(4)],
            degraded: vec![destination(1), destination(2)],
            degraded_limit: 5,
            ..Destinations::default()
        },
        ..request(40, 16)
    };
    let got = play(&heads, &request, |_, _| 1000);
    assert_eq!(got[&(1, 0)] + got[&(2, 0)], 5);
    assert_eq!((got[&(3, 0)], got.get(&(4, 0))), (16, None));
}

#[test]
fn a_destination_that_is_ahead_gets_what_it_may_and_leaves_the_others_theirs() {
    let heads: Vec<Head> = (1..=3u64).map(|n| head(n.into(), 0, 100 - n)).collect();
    let request = |limit| ClaimRequest {
        destinations: Destinations {
            prefetch: vec![(destination(1), 64)],
            ..Destinations::default()
        },
        ..request(limit, 16)
    };
    let got = play(&heads, &request(20), |_, _| 1000);
    assert_eq!((got[&(1, 0)], got[&(2, 0)] + got[&(3, 0)]), (64, 20));
    let got = play(&heads, &request(0), |_, _| 1000);
    assert_eq!(got, BTreeMap::from([((1, 0), 64)]));
}

#[test]
fn a_limited_destination_and_one_on_trial_get_nothing_ahead() {
    let mut heads: Vec<Head> = (1..=3).map(|n| head(n, 0, 10)).collect();
    heads[0].rate_limit = Some(5);
    heads[1].state.circuit = Circuit::Open;
    heads[1].state.circuit_until = Some(NOW);
    heads[2].state.throttled_until = Some(NOW.plus(LEASE));
    let request = ClaimRequest {
        destinations: Destinations {
            prefetch: (1..=3).map(|number| (destination(number), 64)).collect(),
            ..Destinations::default()
        },
        ..request(100, 16)
    };
    let got = play(&heads, &request, |_, _| 1000);
    assert_eq!(got, BTreeMap::from([((1, 0), 5), ((2, 0), 1)]));
}

#[test]
fn what_must_not_be_tried_is_not_and_a_probe_is_one() {
    let mut heads: Vec<Head> = (1..=5).map(|n| head(n, 0, 10)).collect();
    heads[0].state.disabled_instant = Some(NOW);
    heads[1].state.throttled_until = Some(NOW.plus(Duration::from_millis(1)));
    heads[2].state.circuit = Circuit::Open;
    heads[2].state.circuit_until = Some(NOW.plus(Duration::from_millis(1)));
    heads[3].state.circuit = Circuit::Open;
    heads[3].state.circuit_until = Some(NOW);
    let got = play(&heads, &request(100, 16), |_, _| 1000);
    assert_eq!(got, BTreeMap::from([((4, 0), 1), ((5, 0), 16)]));
}

#[test]
fn a_limited_destination_gets_what_its_rate_allows() {
    let mut heads = [head(1, 0, 10), head(1, 1, 10)];
    for head in &mut heads {
        head.rate_limit = Some(5);
    }
    let got = play(&heads, &request(100, 16), |_, _| 1000);
    assert_eq!((got[&(1, 0)], got[&(1, 1)]), (4, 1));
}

#[test]
fn what_is_not_due_is_not_taken() {
    let heads = [
        head(1, 0, 0),
        Head {
            due_at: NOW.plus(LEASE),
            ..head(1, 1, 0)
        },
    ];
    let got = play(&heads, &request(100, 16), |_, _| 1000);
    assert_eq!(got, BTreeMap::from([((1, 0), 16)]));
}
