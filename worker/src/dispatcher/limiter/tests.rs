//! Promises of slots: who may leave, who waits, and who must not leave at all.

use std::time::Duration;

use super::*;
use crate::dispatcher::counts::REMEMBERED;

const SLOW: Duration = Duration::from_secs(1);

type Limiter = super::Limiter<usize>;
type Slot = super::Slot<usize>;

impl Limiter {
    fn free(&self) -> usize {
        self.total - self.state().used
    }
}

fn destinations(count: usize) -> Vec<DestinationId> {
    (0..count).map(|_| DestinationId::random()).collect()
}

fn run_attempts(limiter: &Arc<Limiter>, destination: DestinationId, now: Instant) -> Slot {
    match limiter.place(destination, 0, 1000, None, now) {
        Admission::Now(slot, _) => slot,
        Admission::Waits | Admission::Refused(_) => panic!("there is no slot"),
    }
}

fn take(
    limiter: &Arc<Limiter>,
    destination: DestinationId,
    count: usize,
    now: Instant,
) -> Vec<Slot> {
    (0..count)
        .map(|_| run_attempts(limiter, destination, now))
        .collect()
}

/// A destination that has just shown that it takes a lot, and has nothing in flight.
fn brisk(limiter: &Arc<Limiter>, now: Instant) -> DestinationId {
    let destination = DestinationId::random();
    for _ in 0..100 {
        assert!(
            run_attempts(limiter, destination, now)
                .make_way(now)
                .is_none()
        );
    }
    destination
}

/// Has these wait, and returns those that need not.
fn wait(
    limiter: &Arc<Limiter>,
    destination: DestinationId,
    prepared: impl IntoIterator<Item = usize>,
    now: Instant,
) -> Vec<Slot> {
    let place = |prepared| limiter.place(destination, prepared, 1000, None, now);
    let placed = prepared.into_iter().map(place);
    placed
        .filter_map(|place| match place {
            Admission::Now(slot, _) => Some(slot),
            Admission::Waits => None,
            Admission::Refused(prepared) => panic!("{prepared} is refused"),
        })
        .collect()
}

#[test]
fn a_full_destination_is_closed_until_half_of_it_has_landed() {
    let (limiter, now) = (Arc::new(Limiter::new(100, 4)), Instant::now());
    let destination = DestinationId::random();
    let mut flying = take(&limiter, destination, 4, now);
    let room = limiter.capacity(now);
    assert_eq!((room.closed, room.per_destination), (vec![destination], 2));
    flying.pop();
    assert_eq!(limiter.capacity(now).closed, vec![destination]);
    flying.pop();
    assert!(limiter.capacity(now).closed.is_empty());
    drop(flying);
    assert_eq!(limiter.free(), 100);
    limiter.capacity(now);
    assert!(limiter.state().destinations.is_empty());
}

#[test]
fn a_destination_of_one_is_served_one_at_a_time() {
    let (limiter, now) = (Arc::new(Limiter::new(100, 1)), Instant::now());
    let destination = DestinationId::random();
    let only = run_attempts(&limiter, destination, now);
    assert_eq!(limiter.capacity(now).closed, vec![destination]);
    drop(only);
    let room = limiter.capacity(now);
    assert_eq!((room.closed, room.per_destination), (vec![], 1));
}

#[tokio::test]
async fn a_landing_between_the_look_and_the_wait_is_not_missed() {
    let (limiter, now) = (Arc::new(Limiter::new(2, 2)), Instant::now());
    let flying = take(&limiter, DestinationId::random(), 2, now);
    let room = limiter.room();
    assert_eq!(limiter.capacity(now).rows, 0);
    drop(flying);
    room.await;
}

#[test]
fn slow_and_failing_destinations_share_half_of_the_slots() {
    let (limiter, now) = (Arc::new(Limiter::new(16, 4)), Instant::now());
    let destinations = destinations(4);
    run_attempts(&limiter, destinations[0], now).report(Health::Bad);
    let _slow = take(&limiter, destinations[1], 2, now);
    assert_eq!(limiter.capacity(now).suspects, vec![destinations[0]]);
    let now = now + SLOW;
    let room = limiter.capacity(now);
    assert_eq!((room.suspects.len(), room.suspect_rows), (2, 6));

    let _slow = (
        take(&limiter, destinations[2], 4, now),
        take(&limiter, destinations[1], 2, now),
    );
    let room = limiter.capacity(now + SLOW);
    assert_eq!((room.rows, room.suspect_rows), (6, 0));
    assert!(room.suspects.is_empty() && !room.closed.contains(&destinations[3]));
    assert_eq!(room.closed.len(), 3);
}

#[test]
fn the_last_slots_are_for_destinations_with_nothing_in_flight() {
    let (limiter, now) = (Arc::new(Limiter::new(16, 8)), Instant::now());
    let (a, b, c) = (
        DestinationId::random(),
        DestinationId::random(),
        DestinationId::random(),
    );
    let mut flying = take(&limiter, a, 7, now);
    flying.extend(take(&limiter, b, 7, now));
    let room = limiter.capacity(now);
    assert_eq!(
        (room.rows, room.of(a), room.of(b), room.of(c)),
        (2, 0, 0, 1)
    );
    assert!(matches!(
        limiter.place(a, 1, 0, None, now),
        Admission::Waits
    ));
    flying.push(run_attempts(&limiter, c, now));
    assert_eq!(limiter.capacity(now).of(c), 0);
    assert!(limiter.ready(now).is_empty());
    drop(flying);
    assert_eq!(limiter.ready(now).len(), 1);
}

#[test]
fn destinations_that_lead_to_one_server_share_what_one_may_have() {
    let (limiter, now) = (Arc::new(Limiter::new(64, 4)), Instant::now());
    let place =
        |destination, prepared| limiter.place(destination, prepared, 0, Some("relay".into()), now);
    let destinations = destinations(3);
    let mut flying = Vec::new();
    for prepared in 0..12 {
        match place(destinations[prepared % 2], prepared) {
            Admission::Now(slot, _) => flying.push(slot),
            Admission::Waits => assert!(prepared >= 4, "{prepared}"),
            Admission::Refused(_) => panic!("{prepared} is refused"),
        }
    }
    assert!(matches!(place(destinations[2], 12), Admission::Waits));
    assert_eq!(limiter.capacity(now).of(destinations[2]), 0);
    let _elsewhere = run_attempts(&limiter, DestinationId::random(), now);
    let mut order = Vec::new();
    while let Some(slot) = flying.pop() {
        if let Some((slot, prepared)) = slot.make_way(now) {
            order.push(prepared);
            flying.insert(0, slot);
        }
    }
    assert_eq!(order, [4, 5, 12, 6, 7, 8, 9, 10, 11]);
    assert!(limiter.state().servers.is_empty() && limiter.state().turns.is_empty());
}

#[test]
fn a_destination_that_fails_waits_for_its_server_like_others() {
    let (limiter, now) = (Arc::new(Limiter::new(64, 1)), Instant::now());
    let relay = || Some("relay".into());
    let (bad, good) = (DestinationId::random(), DestinationId::random());
    run_attempts(&limiter, bad, now).report(Health::Bad);
    let Admission::Now(slot, _) = limiter.place(good, 0, 0, relay(), now) else {
        panic!("there is no slot");
    };
    assert!(matches!(
        limiter.place(bad, 1, 0, relay(), now),
        Admission::Waits
    ));
    assert_eq!(slot.make_way(now).map(|(_, prepared)| prepared), Some(1));
}

#[test]
fn a_destination_that_succeeds_is_suspect_no_longer() {
    let (limiter, now) = (Arc::new(Limiter::new(16, 4)), Instant::now());
    let destination = DestinationId::random();
    for (health, suspects) in [(Health::Bad, vec![destination]), (Health::Good, vec![])] {
        run_attempts(&limiter, destination, now).report(health);
        assert_eq!(limiter.capacity(now).suspects, suspects);
    }
    assert!(limiter.state().destinations.is_empty());
}

#[test]
fn a_destination_that_asks_to_be_left_alone_is_closed_until_that_is_written() {
    let (limiter, now) = (Arc::new(Limiter::new(16, 4)), Instant::now());
    let destination = DestinationId::random();
    let mut slot = run_attempts(&limiter, destination, now);
    slot.report(Health::Shut);
    slot.report(Health::Shut);
    assert_eq!(limiter.capacity(now).closed, vec![destination]);
    drop(slot);
    assert_eq!(limiter.capacity(now).suspects, vec![destination]);
}

#[test]
fn the_memory_of_failing_destinations_is_bounded() {
    let (limiter, now) = (Arc::new(Limiter::new(16, 4)), Instant::now());
    for destination in destinations(5 * REMEMBERED) {
        run_attempts(&limiter, destination, now).report(Health::Bad);
    }
    assert!(limiter.state().destinations.len() <= REMEMBERED + 16);
}

#[test]
fn what_lands_well_takes_along_what_waits_in_its_order() {
    let (limiter, now) = (Arc::new(Limiter::new(100, 4)), Instant::now());
    let destination = brisk(&limiter, now);
    let mut flying = wait(&limiter, destination, 0..10, now);
    assert_eq!(flying.len(), 4);
    for expected in 4..10 {
        let (slot, prepared) = flying.remove(0).make_way(now).unwrap();
        assert_eq!(prepared, expected);
        flying.push(slot);
    }
    assert_eq!(limiter.free(), 96);
    for slot in flying {
        assert!(slot.make_way(now).is_none());
    }
    assert_eq!((limiter.free(), limiter.state().waiting), (100, 0));
}

#[test]
fn only_a_destination_that_does_well_gets_more_than_its_slots() {
    let (limiter, now) = (Arc::new(Limiter::new(100, 16)), Instant::now());
    let (destination, other) = (brisk(&limiter, now), DestinationId::random());
    let room = limiter.capacity(now);
    assert_eq!((room.of(destination), room.of(other)), (64, 8));
    let flying = wait(&limiter, destination, 0..64, now);
    assert_eq!(limiter.capacity(now).of(destination), 32);
    let _more = wait(&limiter, destination, 64..96, now);
    assert_eq!(
        (flying.len(), limiter.capacity(now).of(destination)),
        (16, 0)
    );
    // What it did long ago says nothing.
    let limiter = Arc::new(Limiter::new(100, 16));
    let destination = brisk(&limiter, now);
    assert_eq!(limiter.capacity(now + SLOW).of(destination), 8);
}

#[test]
fn a_failure_dismisses_what_waits_and_the_destination_begins_anew() {
    for health in [Health::Bad, Health::Shut] {
        let (limiter, now) = (Arc::new(Limiter::new(100, 4)), Instant::now());
        let destination = brisk(&limiter, now);
        let mut flying = wait(&limiter, destination, 0..8, now);
        let mut failed = flying.remove(0);
        assert_eq!(failed.report(health), [4, 5, 6, 7]);
        assert!(flying.remove(0).make_way(now).is_none());
        assert!(
            matches!(
                limiter.place(destination, 8, 1000, None, now),
                Admission::Now(..)
            ) == (health == Health::Bad)
        );
        drop(failed);
        run_attempts(&limiter, destination, now).report(Health::Good);
        assert!(limiter.capacity(now).ahead.is_empty());
        let state = limiter.state();
        assert_eq!((state.waiting, state.waiting_bytes), (0, 0));
    }
}

#[test]
fn nothing_leaves_for_a_destination_that_is_being_shut() {
    let (limiter, now) = (Arc::new(Limiter::new(100, 4)), Instant::now());
    let destination = DestinationId::random();
    let mut slot = run_attempts(&limiter, destination, now);
    slot.report(Health::Shut);
    assert!(matches!(
        limiter.place(destination, 1, 0, None, now),
        Admission::Refused(1)
    ));
    assert!(limiter.ready(now).is_empty());
    drop(slot);
    assert!(matches!(
        limiter.place(destination, 1, 0, None, now),
        Admission::Now(..)
    ));
}

#[test]
fn destinations_take_turns_when_there_are_too_few_slots() {
    let (limiter, now) = (Arc::new(Limiter::new(2, 2)), Instant::now());
    let (a, b) = (brisk(&limiter, now), brisk(&limiter, now));
    let mut flying = wait(&limiter, a, 0..6, now);
    flying.extend(wait(&limiter, b, 10..16, now));
    let mut order = Vec::new();
    while let Some(slot) = flying.pop() {
        if let Some((slot, prepared)) = slot.make_way(now) {
            order.push(prepared);
            flying.insert(0, slot);
        }
    }
    assert_eq!(order.len(), 10);
    let early = order
        .iter()
        .take(6)
        .filter(|prepared| **prepared >= 10)
        .count();
    assert!((2..=4).contains(&early), "{order:?}");
}

#[tokio::test]
async fn what_waits_leaves_although_what_landed_did_so_badly() {
    let (limiter, now) = (Arc::new(Limiter::new(1, 1)), Instant::now());
    let (good, bad) = (brisk(&limiter, now), DestinationId::random());
    let mut failed = run_attempts(&limiter, bad, now);
    assert!(wait(&limiter, good, 1..3, now).is_empty());
    failed.report(Health::Bad);
    assert!(limiter.ready(now).is_empty());
    drop(failed);
    limiter.something_may_leave().await;
    let departed: Vec<usize> = limiter.ready(now).iter().map(|(_, n)| *n).collect();
    assert_eq!(departed, [1]);
}

#[test]
fn a_stop_returns_what_waits_and_lets_nothing_else_begin() {
    let (limiter, now) = (Arc::new(Limiter::new(2, 2)), Instant::now());
    let destination = brisk(&limiter, now);
    let mut flying = wait(&limiter, destination, 0..5, now);
    assert_eq!(limiter.stop(), [2, 3, 4]);
    assert!(flying.remove(0).make_way(now).is_none());
    assert!(matches!(
        limiter.place(destination, 5, 0, None, now),
        Admission::Refused(5)
    ));
}

#[test]
fn all_destinations_together_have_only_so_much_wait() {
    let (limiter, now) = (Arc::new(Limiter::new(10_000, 4)), Instant::now());
    let destinations: Vec<DestinationId> = (0..100).map(|_| brisk(&limiter, now)).collect();
    let room = limiter.capacity(now);
    let asked: usize = destinations
        .iter()
        .map(|destination| room.of(*destination))
        .sum();
    assert!(asked <= WAITING + 100 * 8, "{asked}");
    let limiter = Arc::new(Limiter::new(100, 4));
    let destination = brisk(&limiter, now);
    let _flying = wait(&limiter, destination, 0..4, now);
    let heavy = limiter.place(destination, 5, WAITING_BYTES, None, now);
    assert!(matches!(heavy, Admission::Waits) && limiter.capacity(now).of(destination) == 0);
}
