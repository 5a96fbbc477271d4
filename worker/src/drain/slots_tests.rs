//! Promises of slots: who may leave, who waits, and who must not leave at all.

use std::time::Duration;

use super::*;
use crate::drain::counts::REMEMBERED;

const SLOW: Duration = Duration::from_secs(1);

type Slots = super::Slots<usize>;
type Slot = super::Slot<usize>;

impl Slots {
    fn free(&self) -> usize {
        self.total - self.state().used
    }
}

fn destinations(count: usize) -> Vec<DestinationId> {
    (0..count).map(|_| DestinationId::random()).collect()
}

fn fly(slots: &Arc<Slots>, destination: DestinationId, now: Instant) -> Slot {
    match slots.place(destination, 0, 1000, None, now) {
        Place::Now(slot, _) => slot,
        Place::Waits | Place::Refused(_) => panic!("there is no slot"),
    }
}

fn take(slots: &Arc<Slots>, destination: DestinationId, count: usize, now: Instant) -> Vec<Slot> {
    (0..count).map(|_| fly(slots, destination, now)).collect()
}

/// A destination that has just shown that it takes a lot, and has nothing in flight.
fn brisk(slots: &Arc<Slots>, now: Instant) -> DestinationId {
    let destination = DestinationId::random();
    for _ in 0..100 {
        assert!(fly(slots, destination, now).make_way(now).is_none());
    }
    destination
}

/// Has these wait, and returns those that need not.
fn wait(
    slots: &Arc<Slots>,
    destination: DestinationId,
    cargo: impl IntoIterator<Item = usize>,
    now: Instant,
) -> Vec<Slot> {
    let place = |cargo| slots.place(destination, cargo, 1000, None, now);
    let placed = cargo.into_iter().map(place);
    placed
        .filter_map(|place| match place {
            Place::Now(slot, _) => Some(slot),
            Place::Waits => None,
            Place::Refused(cargo) => panic!("{cargo} is refused"),
        })
        .collect()
}

#[test]
fn a_full_destination_is_closed_until_half_of_it_has_landed() {
    let (slots, now) = (Arc::new(Slots::new(100, 4)), Instant::now());
    let destination = DestinationId::random();
    let mut flying = take(&slots, destination, 4, now);
    let room = slots.look(now);
    assert_eq!((room.closed, room.per_destination), (vec![destination], 2));
    flying.pop();
    assert_eq!(slots.look(now).closed, vec![destination]);
    flying.pop();
    assert!(slots.look(now).closed.is_empty());
    drop(flying);
    assert_eq!(slots.free(), 100);
    slots.look(now);
    assert!(slots.state().destinations.is_empty());
}

#[test]
fn a_destination_of_one_is_served_one_at_a_time() {
    let (slots, now) = (Arc::new(Slots::new(100, 1)), Instant::now());
    let destination = DestinationId::random();
    let only = fly(&slots, destination, now);
    assert_eq!(slots.look(now).closed, vec![destination]);
    drop(only);
    let room = slots.look(now);
    assert_eq!((room.closed, room.per_destination), (vec![], 1));
}

#[tokio::test]
async fn a_landing_between_the_look_and_the_wait_is_not_missed() {
    let (slots, now) = (Arc::new(Slots::new(2, 2)), Instant::now());
    let flying = take(&slots, DestinationId::random(), 2, now);
    let room = slots.room();
    assert_eq!(slots.look(now).rows, 0);
    drop(flying);
    room.await;
}

#[test]
fn slow_and_failing_destinations_share_half_of_the_slots() {
    let (slots, now) = (Arc::new(Slots::new(16, 4)), Instant::now());
    let destinations = destinations(4);
    fly(&slots, destinations[0], now).report(Health::Bad);
    let _slow = take(&slots, destinations[1], 2, now);
    assert_eq!(slots.look(now).suspects, vec![destinations[0]]);
    let now = now + SLOW;
    let room = slots.look(now);
    assert_eq!((room.suspects.len(), room.suspect_rows), (2, 6));

    let _slow = (
        take(&slots, destinations[2], 4, now),
        take(&slots, destinations[1], 2, now),
    );
    let room = slots.look(now + SLOW);
    assert_eq!((room.rows, room.suspect_rows), (6, 0));
    assert!(room.suspects.is_empty() && !room.closed.contains(&destinations[3]));
    assert_eq!(room.closed.len(), 3);
}

#[test]
fn the_last_slots_are_for_destinations_with_nothing_in_flight() {
    let (slots, now) = (Arc::new(Slots::new(16, 8)), Instant::now());
    let (a, b, c) = (
        DestinationId::random(),
        DestinationId::random(),
        DestinationId::random(),
    );
    let mut flying = take(&slots, a, 7, now);
    flying.extend(take(&slots, b, 7, now));
    let room = slots.look(now);
    assert_eq!(
        (room.rows, room.of(a), room.of(b), room.of(c)),
        (2, 0, 0, 1)
    );
    assert!(matches!(slots.place(a, 1, 0, None, now), Place::Waits));
    flying.push(fly(&slots, c, now));
    assert_eq!(slots.look(now).of(c), 0);
    assert!(slots.departures(now).is_empty());
    drop(flying);
    assert_eq!(slots.departures(now).len(), 1);
}

#[test]
fn destinations_that_lead_to_one_server_share_what_one_may_have() {
    let (slots, now) = (Arc::new(Slots::new(64, 4)), Instant::now());
    let place = |destination, cargo| slots.place(destination, cargo, 0, Some("relay".into()), now);
    let destinations = destinations(3);
    let mut flying = Vec::new();
    for cargo in 0..12 {
        match place(destinations[cargo % 2], cargo) {
            Place::Now(slot, _) => flying.push(slot),
            Place::Waits => assert!(cargo >= 4, "{cargo}"),
            Place::Refused(_) => panic!("{cargo} is refused"),
        }
    }
    assert!(matches!(place(destinations[2], 12), Place::Waits));
    assert_eq!(slots.look(now).of(destinations[2]), 0);
    let _elsewhere = fly(&slots, DestinationId::random(), now);
    let mut order = Vec::new();
    while let Some(slot) = flying.pop() {
        if let Some((slot, cargo)) = slot.make_way(now) {
            order.push(cargo);
            flying.insert(0, slot);
        }
    }
    assert_eq!(order, [4, 5, 12, 6, 7, 8, 9, 10, 11]);
    assert!(slots.state().servers.is_empty() && slots.state().turns.is_empty());
}

#[test]
fn a_destination_that_fails_waits_for_its_server_like_others() {
    let (slots, now) = (Arc::new(Slots::new(64, 1)), Instant::now());
    let relay = || Some("relay".into());
    let (bad, good) = (DestinationId::random(), DestinationId::random());
    fly(&slots, bad, now).report(Health::Bad);
    let Place::Now(slot, _) = slots.place(good, 0, 0, relay(), now) else {
        panic!("there is no slot");
    };
    assert!(matches!(slots.place(bad, 1, 0, relay(), now), Place::Waits));
    assert_eq!(slot.make_way(now).map(|(_, cargo)| cargo), Some(1));
}

#[test]
fn a_destination_that_succeeds_is_suspect_no_longer() {
    let (slots, now) = (Arc::new(Slots::new(16, 4)), Instant::now());
    let destination = DestinationId::random();
    for (health, suspects) in [(Health::Bad, vec![destination]), (Health::Good, vec![])] {
        fly(&slots, destination, now).report(health);
        assert_eq!(slots.look(now).suspects, suspects);
    }
    assert!(slots.state().destinations.is_empty());
}

#[test]
fn a_destination_that_asks_to_be_left_alone_is_closed_until_that_is_written() {
    let (slots, now) = (Arc::new(Slots::new(16, 4)), Instant::now());
    let destination = DestinationId::random();
    let mut slot = fly(&slots, destination, now);
    slot.report(Health::Shut);
    slot.report(Health::Shut);
    assert_eq!(slots.look(now).closed, vec![destination]);
    drop(slot);
    assert_eq!(slots.look(now).suspects, vec![destination]);
}

#[test]
fn the_memory_of_failing_destinations_is_bounded() {
    let (slots, now) = (Arc::new(Slots::new(16, 4)), Instant::now());
    for destination in destinations(5 * REMEMBERED) {
        fly(&slots, destination, now).report(Health::Bad);
    }
    assert!(slots.state().destinations.len() <= REMEMBERED + 16);
}

#[test]
fn what_lands_well_takes_along_what_waits_in_its_order() {
    let (slots, now) = (Arc::new(Slots::new(100, 4)), Instant::now());
    let destination = brisk(&slots, now);
    let mut flying = wait(&slots, destination, 0..10, now);
    assert_eq!(flying.len(), 4);
    for expected in 4..10 {
        let (slot, cargo) = flying.remove(0).make_way(now).unwrap();
        assert_eq!(cargo, expected);
        flying.push(slot);
    }
    assert_eq!(slots.free(), 96);
    for slot in flying {
        assert!(slot.make_way(now).is_none());
    }
    assert_eq!((slots.free(), slots.state().waiting), (100, 0));
}

#[test]
fn only_a_destination_that_does_well_gets_more_than_its_slots() {
    let (slots, now) = (Arc::new(Slots::new(100, 16)), Instant::now());
    let (destination, other) = (brisk(&slots, now), DestinationId::random());
    let room = slots.look(now);
    assert_eq!((room.of(destination), room.of(other)), (64, 8));
    let flying = wait(&slots, destination, 0..64, now);
    assert_eq!(slots.look(now).of(destination), 32);
    let _more = wait(&slots, destination, 64..96, now);
    assert_eq!((flying.len(), slots.look(now).of(destination)), (16, 0));
    // What it did long ago says nothing.
    let slots = Arc::new(Slots::new(100, 16));
    let destination = brisk(&slots, now);
    assert_eq!(slots.look(now + SLOW).of(destination), 8);
}

#[test]
fn a_failure_dismisses_what_waits_and_the_destination_begins_anew() {
    for health in [Health::Bad, Health::Shut] {
        let (slots, now) = (Arc::new(Slots::new(100, 4)), Instant::now());
        let destination = brisk(&slots, now);
        let mut flying = wait(&slots, destination, 0..8, now);
        let mut failed = flying.remove(0);
        assert_eq!(failed.report(health), [4, 5, 6, 7]);
        assert!(flying.remove(0).make_way(now).is_none());
        assert!(
            matches!(slots.place(destination, 8, 1000, None, now), Place::Now(..))
                == (health == Health::Bad)
        );
        drop(failed);
        fly(&slots, destination, now).report(Health::Good);
        assert!(slots.look(now).ahead.is_empty());
        let state = slots.state();
        assert_eq!((state.waiting, state.waiting_bytes), (0, 0));
    }
}

#[test]
fn nothing_leaves_for_a_destination_that_is_being_shut() {
    let (slots, now) = (Arc::new(Slots::new(100, 4)), Instant::now());
    let destination = DestinationId::random();
    let mut slot = fly(&slots, destination, now);
    slot.report(Health::Shut);
    assert!(matches!(
        slots.place(destination, 1, 0, None, now),
        Place::Refused(1)
    ));
    assert!(slots.departures(now).is_empty());
    drop(slot);
    assert!(matches!(
        slots.place(destination, 1, 0, None, now),
        Place::Now(..)
    ));
}

#[test]
fn destinations_take_turns_when_there_are_too_few_slots() {
    let (slots, now) = (Arc::new(Slots::new(2, 2)), Instant::now());
    let (a, b) = (brisk(&slots, now), brisk(&slots, now));
    let mut flying = wait(&slots, a, 0..6, now);
    flying.extend(wait(&slots, b, 10..16, now));
    let mut order = Vec::new();
    while let Some(slot) = flying.pop() {
        if let Some((slot, cargo)) = slot.make_way(now) {
            order.push(cargo);
            flying.insert(0, slot);
        }
    }
    assert_eq!(order.len(), 10);
    let early = order.iter().take(6).filter(|cargo| **cargo >= 10).count();
    assert!((2..=4).contains(&early), "{order:?}");
}

#[tokio::test]
async fn what_waits_leaves_although_what_landed_did_so_badly() {
    let (slots, now) = (Arc::new(Slots::new(1, 1)), Instant::now());
    let (good, bad) = (brisk(&slots, now), DestinationId::random());
    let mut failed = fly(&slots, bad, now);
    assert!(wait(&slots, good, 1..3, now).is_empty());
    failed.report(Health::Bad);
    assert!(slots.departures(now).is_empty());
    drop(failed);
    slots.something_may_leave().await;
    let departed: Vec<usize> = slots.departures(now).iter().map(|(_, n)| *n).collect();
    assert_eq!(departed, [1]);
}

#[test]
fn a_stop_returns_what_waits_and_lets_nothing_else_begin() {
    let (slots, now) = (Arc::new(Slots::new(2, 2)), Instant::now());
    let destination = brisk(&slots, now);
    let mut flying = wait(&slots, destination, 0..5, now);
    assert_eq!(slots.stop(), [2, 3, 4]);
    assert!(flying.remove(0).make_way(now).is_none());
    assert!(matches!(
        slots.place(destination, 5, 0, None, now),
        Place::Refused(5)
    ));
}

#[test]
fn all_destinations_together_have_only_so_much_wait() {
    let (slots, now) = (Arc::new(Slots::new(10_000, 4)), Instant::now());
    let destinations: Vec<DestinationId> = (0..100).map(|_| brisk(&slots, now)).collect();
    let room = slots.look(now);
    let asked: usize = destinations
        .iter()
        .map(|destination| room.of(*destination))
        .sum();
    assert!(asked <= WAITING + 100 * 8, "{asked}");
    let slots = Arc::new(Slots::new(100, 4));
    let destination = brisk(&slots, now);
    let _flying = wait(&slots, destination, 0..4, now);
    let heavy = slots.place(destination, 5, WAITING_BYTES, None, now);
    assert!(matches!(heavy, Place::Waits) && slots.look(now).of(destination) == 0);
}
