//! Slots: how much is in flight, in all and in each lane, and which lanes are suspect.
//!
//! A lane is suspect if it failed last, or if one of its flights is over a second old.
//! Suspect lanes share half of the slots: dozens of hanging receivers leave the healthy
//! ones the other half. Nothing here knows the database; [`Room`] says what to claim.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use beadle_common::id::LaneId;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A flight of this age makes its lane suspect.
const SLOW: Duration = Duration::from_secs(1);

/// Lanes with nothing in flight that are remembered because they failed last.
/// Above that some are forgotten, and get another chance.
const REMEMBERED: usize = 1024;

/// Counts what is in flight.
#[derive(Debug)]
pub(super) struct Slots {
    total: usize,
    per_lane: usize,
    state: Mutex<State>,
    /// Somebody waits for room.
    wanted: AtomicBool,
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    taken: u64,
    lanes: HashMap<LaneId, Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    /// When each flight began, in the order in which they did.
    flights: BTreeMap<u64, Instant>,
    failed: bool,
    /// Flights whose settling may shut the lane for all workers. Until it has, nothing
    /// more is claimed of it: that would only use up attempts.
    shutting: usize,
}

impl Lane {
    fn is_suspect(&self, now: Instant) -> bool {
        let oldest = self.flights.values().next();
        self.failed || oldest.is_some_and(|began| now.duration_since(*began) >= SLOW)
    }

    fn is_forgettable(&self) -> bool {
        self.flights.is_empty() && !self.failed
    }
}

/// How the last flight of a lane went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// The peer does its part.
    Good,
    /// It does not.
    Bad,
    /// It asks to be left alone.
    Shut,
}

/// What there is room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room {
    /// Rows in all.
    pub(super) rows: usize,
    /// Rows of one lane.
    pub(super) per_lane: usize,
    /// Suspect lanes that may get some.
    pub(super) suspects: Vec<LaneId>,
    /// Rows of those, in all.
    pub(super) suspect_rows: usize,
    /// Lanes that get nothing now.
    pub(super) closed: Vec<LaneId>,
}

/// One delivery in flight. Dropping it makes room.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    lane: LaneId,
    number: u64,
    shuts: bool,
}

impl Slots {
    pub(super) fn new(total: usize, per_lane: usize) -> Self {
        Self {
            total: total.max(1),
            per_lane: per_lane.max(1),
            state: Mutex::default(),
            wanted: AtomicBool::new(false),
            room: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The counts are right after every statement, so a panic leaves no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn free(&self) -> usize {
        self.total.saturating_sub(self.state().used)
    }

    /// Rows of one lane to claim at once: half of its slots, since the other half is
    /// busy while they are fetched.
    fn lane_batch(&self) -> usize {
        (self.per_lane / 2).max(1)
    }

    fn lane_has_room(&self, used: usize) -> bool {
        used.saturating_add(self.lane_batch()) <= self.per_lane
    }

    /// What may be claimed now.
    pub(super) fn look(&self, now: Instant) -> Room {
        let state = self.state();
        let rows = self.total.saturating_sub(state.used);
        let (mut suspects, mut closed, mut suspects_fly) = (Vec::new(), Vec::new(), 0);
        for (id, lane) in &state.lanes {
            let is_suspect = lane.is_suspect(now);
            if is_suspect {
                suspects_fly += lane.flights.len();
            }
            if lane.shutting > 0 || !self.lane_has_room(lane.flights.len()) {
                closed.push(*id);
            } else if is_suspect {
                suspects.push(*id);
            }
        }
        let share = (self.total / 2).max(1).saturating_sub(suspects_fly);
        // Half of what is free, so that neither side takes all of it at every turn.
        let suspect_rows = share.min(rows.div_ceil(2));
        if suspect_rows == 0 {
            closed.append(&mut suspects);
        }
        Room {
            rows,
            per_lane: self.lane_batch(),
            suspects,
            suspect_rows,
            closed,
        }
    }

    pub(super) fn take(self: &Arc<Self>, lane: LaneId, now: Instant) -> Slot {
        let mut state = self.state();
        state.used += 1;
        state.taken += 1;
        let number = state.taken;
        let flights = &mut state.lanes.entry(lane).or_default().flights;
        flights.insert(number, now);
        Slot {
            slots: Arc::clone(self),
            lane,
            number,
            shuts: false,
        }
    }

    /// A future that completes when more can be claimed than now. Call it *before*
    /// [`Slots::look`], so that nothing lands unnoticed between the look and the wait.
    pub(super) fn room(&self) -> impl Future<Output = ()> + '_ {
        let mut waiting = Box::pin(self.room.notified());
        waiting.as_mut().enable();
        self.wanted.store(true, Ordering::SeqCst);
        waiting
    }
}

impl State {
    /// Keeps the memory of lanes without flights within bounds.
    fn tidy(&mut self, landed: LaneId) {
        if self.lanes.get(&landed).is_some_and(Lane::is_forgettable) {
            self.lanes.remove(&landed);
        }
        if self.lanes.len() <= self.used.saturating_add(REMEMBERED) {
            return;
        }
        let mut excess = REMEMBERED / 2;
        self.lanes.retain(|_, lane| {
            let forget = lane.flights.is_empty() && excess > 0;
            excess -= usize::from(forget);
            !forget
        });
    }
}

impl Slot {
    /// Says how the peer did.
    pub(super) fn report(&mut self, health: Health) {
        let mut state = self.slots.state();
        let Some(lane) = state.lanes.get_mut(&self.lane) else {
            return;
        };
        lane.failed = health != Health::Good;
        if health == Health::Shut && !self.shuts {
            self.shuts = true;
            lane.shutting += 1;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        state.used = state.used.saturating_sub(1);
        let used = state.lanes.get_mut(&self.lane).map_or(0, |lane| {
            lane.flights.remove(&self.number);
            lane.shutting -= usize::from(self.shuts);
            lane.flights.len()
        });
        let free = self.slots.total.saturating_sub(state.used);
        state.tidy(self.lane);
        drop(state);
        // Not at every landing: half a lane's batch is worth a round trip, one row is not.
        let enough = self.slots.lane_has_room(used) || free >= self.slots.total / 4;
        if enough && self.slots.wanted.swap(false, Ordering::SeqCst) {
            self.slots.room.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(count: usize) -> Vec<LaneId> {
        (0..count).map(|_| LaneId::random()).collect()
    }

    fn take(slots: &Arc<Slots>, lane: LaneId, count: usize, now: Instant) -> Vec<Slot> {
        (0..count).map(|_| slots.take(lane, now)).collect()
    }

    #[test]
    fn a_full_lane_is_closed_until_half_of_it_has_landed() {
        let (slots, now) = (Arc::new(Slots::new(100, 4)), Instant::now());
        let lane = LaneId::random();
        let mut flying = take(&slots, lane, 4, now);
        let room = slots.look(now);
        assert_eq!((room.closed, room.per_lane), (vec![lane], 2));
        flying.pop();
        assert_eq!(slots.look(now).closed, vec![lane]);
        flying.pop();
        assert!(slots.look(now).closed.is_empty());
        drop(flying);
        assert_eq!(slots.free(), 100);
        assert!(slots.state().lanes.is_empty());
    }

    #[test]
    fn a_lane_of_one_is_served_one_at_a_time() {
        let (slots, now) = (Arc::new(Slots::new(100, 1)), Instant::now());
        let lane = LaneId::random();
        let only = slots.take(lane, now);
        assert_eq!(slots.look(now).closed, vec![lane]);
        drop(only);
        let room = slots.look(now);
        assert_eq!((room.closed, room.per_lane), (vec![], 1));
    }

    #[tokio::test]
    async fn a_landing_between_the_look_and_the_wait_is_not_missed() {
        let (slots, now) = (Arc::new(Slots::new(2, 2)), Instant::now());
        let flying = take(&slots, LaneId::random(), 2, now);
        let room = slots.room();
        assert_eq!(slots.look(now).rows, 0);
        drop(flying);
        room.await;
    }

    #[test]
    fn slow_and_failing_lanes_share_half_of_the_slots() {
        let (slots, now) = (Arc::new(Slots::new(16, 4)), Instant::now());
        let lanes = lanes(4);
        slots.take(lanes[0], now).report(Health::Bad);
        let _slow = take(&slots, lanes[1], 2, now);
        assert_eq!(slots.look(now).suspects, vec![lanes[0]]);
        let now = now + SLOW;
        let room = slots.look(now);
        assert_eq!((room.suspects.len(), room.suspect_rows), (2, 6));

        let _slow = (
            take(&slots, lanes[2], 4, now),
            take(&slots, lanes[1], 2, now),
        );
        let room = slots.look(now + SLOW);
        assert_eq!((room.rows, room.suspect_rows), (8, 0));
        assert!(room.suspects.is_empty() && !room.closed.contains(&lanes[3]));
        assert_eq!(room.closed.len(), 3);
    }

    #[test]
    fn a_lane_that_succeeds_is_suspect_no_longer() {
        let (slots, now) = (Arc::new(Slots::new(16, 4)), Instant::now());
        let lane = LaneId::random();
        for (health, suspects) in [(Health::Bad, vec![lane]), (Health::Good, vec![])] {
            slots.take(lane, now).report(health);
            assert_eq!(slots.look(now).suspects, suspects);
        }
        assert!(slots.state().lanes.is_empty());
    }

    #[test]
    fn a_lane_that_asks_to_be_left_alone_is_closed_until_that_is_written() {
        let (slots, now) = (Arc::new(Slots::new(16, 4)), Instant::now());
        let lane = LaneId::random();
        let mut slot = slots.take(lane, now);
        slot.report(Health::Shut);
        slot.report(Health::Shut);
        assert_eq!(slots.look(now).closed, vec![lane]);
        drop(slot);
        assert_eq!(slots.look(now).suspects, vec![lane]);
    }

    #[test]
    fn the_memory_of_failing_lanes_is_bounded() {
        let (slots, now) = (Arc::new(Slots::new(16, 4)), Instant::now());
        for lane in lanes(5 * REMEMBERED) {
            slots.take(lane, now).report(Health::Bad);
        }
        assert!(slots.state().lanes.len() <= REMEMBERED + 16);
    }
}
