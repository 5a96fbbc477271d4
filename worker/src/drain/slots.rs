//! Slots: how much is in flight, in all and in each lane, what waits for a slot, and which
//! lanes are suspect.
//!
//! A lane is suspect if it failed last, or if one of its flights is over a second old.
//! Suspect lanes share half of the slots: dozens of hanging receivers leave the healthy
//! ones the other half. A lane that does well has deliveries wait here, so that the next
//! leaves when one lands, and not when the database has been asked again; when it fails,
//! they are dismissed. Nothing here knows the database; [`Room`] says what to claim.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beadle_common::id::LaneId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::lane::Lane;
use super::room::{Health, Place, Room};

/// Lanes with nothing in flight that are remembered because they failed last.
/// Above that some are forgotten, and get another chance.
const REMEMBERED: usize = 1024;

/// Bytes that wait at most, of all lanes together.
const WAITING_BYTES: usize = 4 << 20;

/// Deliveries that wait at most, of all lanes together.
const WAITING: usize = 1024;

/// Counts what is in flight, and holds what waits: `W`.
pub(super) struct Slots<W> {
    total: usize,
    per_lane: usize,
    state: Mutex<State<W>>,
    /// Somebody waits for room.
    wanted: AtomicBool,
    room: Notify,
    /// Something could leave, and nothing has landed that takes it along.
    departures: Notify,
}

impl<W> fmt::Debug for Slots<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots")
            .field("total", &self.total)
            .field("per_lane", &self.per_lane)
            .finish_non_exhaustive()
    }
}

struct State<W> {
    used: usize,
    taken: u64,
    lanes: HashMap<LaneId, Lane<W>>,
    /// Lanes whose turn it is when something lands: something of them waits, and they have
    /// a slot left.
    turns: VecDeque<LaneId>,
    waiting: usize,
    waiting_bytes: usize,
    /// The last look was short of slots, whatever the lanes had.
    is_short: bool,
    /// Nothing more begins.
    stopped: bool,
}

impl<W> Default for State<W> {
    fn default() -> Self {
        Self {
            used: 0,
            taken: 0,
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            waiting_bytes: 0,
            is_short: false,
            stopped: false,
        }
    }
}

/// One delivery in flight. Dropping it makes room.
pub(super) struct Slot<W> {
    slots: Arc<Slots<W>>,
    lane: LaneId,
    number: u64,
    shuts: bool,
    landed: bool,
}

impl<W> Slots<W> {
    pub(super) fn new(total: usize, per_lane: usize) -> Self {
        Self {
            total: total.max(1),
            per_lane: per_lane.max(1),
            state: Mutex::default(),
            wanted: AtomicBool::new(false),
            room: Notify::new(),
            departures: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        // The counts are right after every statement, so a panic leaves no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows of one lane to claim at once: half of its slots, since the other half is
    /// busy while they are fetched.
    fn lane_batch(&self) -> usize {
        (self.per_lane / 2).max(1)
    }

    fn lane_has_room(&self, held: usize) -> bool {
        held.saturating_add(self.lane_batch()) <= self.per_lane
    }

    /// How many rows a lane may get ahead of its slots, if that is worth a round trip. A
    /// power of two, since lanes that want the same are asked for together.
    fn ahead(&self, lane: &Lane<W>, waiting: usize, bytes: usize, now: Instant) -> Option<usize> {
        let spare_bytes = WAITING_BYTES.saturating_sub(bytes);
        let reach = lane.reach(self.per_lane, spare_bytes, now)?;
        let spare = WAITING.saturating_sub(waiting) + self.per_lane;
        let rows = reach.saturating_sub(lane.held()).min(spare);
        let worth_it = rows >= self.lane_batch() && 2 * rows >= reach - self.per_lane;
        worth_it.then(|| 1 << rows.ilog2())
    }

    /// What may be claimed now.
    pub(super) fn look(&self, now: Instant) -> Room {
        let mut state = self.state();
        state.lanes.retain(|_, lane| !lane.is_forgettable(now));
        let rows = self.total.saturating_sub(state.used);
        state.is_short = rows < self.total / 4;
        let (mut waiting, bytes) = (state.waiting, state.waiting_bytes);
        let (mut suspects, mut closed, mut ahead) = (Vec::new(), Vec::new(), Vec::new());
        let mut suspects_fly = 0;
        for (id, lane) in &state.lanes {
            let is_suspect = lane.is_suspect(now);
            if is_suspect {
                suspects_fly += lane.flights.len();
            }
            if lane.shutting > 0 {
                closed.push(*id);
            } else if let Some(rows) = self.ahead(lane, waiting, bytes, now) {
                waiting += rows;
                ahead.push((*id, rows));
            } else if !self.lane_has_room(lane.held()) {
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
            ahead,
        }
    }

    /// Gives what was claimed a slot, or a place to wait for one.
    pub(super) fn place(
        self: &Arc<Self>,
        id: LaneId,
        cargo: W,
        bytes: usize,
        now: Instant,
    ) -> Place<W> {
        let mut state = self.state();
        let free = state.used < self.total;
        let stopped = state.stopped;
        let lane = state.lanes.entry(id).or_default();
        let has_slot = lane.flights.len() < self.per_lane;
        lane.weighs(bytes);
        if stopped || lane.shutting > 0 {
            return Place::Refused(cargo);
        }
        if free && has_slot && !lane.has_waiting() {
            let number = state.fly(id, now);
            return Place::Now(self.slot(id, number), cargo);
        }
        if lane.failed {
            return Place::Refused(cargo);
        }
        let is_first = !lane.has_waiting();
        lane.waits(cargo, bytes);
        state.waiting += 1;
        state.waiting_bytes += bytes;
        if is_first && has_slot {
            state.turns.push_back(id);
        }
        Place::Waits
    }

    /// What waits although there is a slot: as a rule whatever lands takes it along, but
    /// what landed badly does not.
    pub(super) fn departures(self: &Arc<Self>, now: Instant) -> Vec<(Slot<W>, W)> {
        std::iter::from_fn(|| self.depart(&mut self.state(), now)).collect()
    }

    /// The next one whose turn it is.
    fn depart(self: &Arc<Self>, state: &mut State<W>, now: Instant) -> Option<(Slot<W>, W)> {
        while state.used < self.total {
            let id = state.turns.pop_front()?;
            let Some(lane) = state.lanes.get_mut(&id) else {
                continue;
            };
            if lane.flights.len() >= self.per_lane {
                continue;
            }
            let Some((cargo, bytes)) = lane.next_waiting() else {
                continue;
            };
            let goes_on = lane.has_waiting() && lane.flights.len() + 1 < self.per_lane;
            if goes_on {
                state.turns.push_back(id);
            }
            state.waiting -= 1;
            state.waiting_bytes -= bytes;
            let number = state.fly(id, now);
            return Some((self.slot(id, number), cargo));
        }
        None
    }

    fn slot(self: &Arc<Self>, lane: LaneId, number: u64) -> Slot<W> {
        Slot {
            slots: Arc::clone(self),
            lane,
            number,
            shuts: false,
            landed: false,
        }
    }

    /// Nothing more begins. Returns what waits.
    pub(super) fn stop(&self) -> Vec<W> {
        let mut state = self.state();
        state.stopped = true;
        state.waiting = 0;
        state.waiting_bytes = 0;
        state.turns.clear();
        let lanes = state.lanes.values_mut();
        lanes.flat_map(|lane| lane.dismiss().0).collect()
    }

    /// A future that completes when more can be claimed than now. Call it *before*
    /// [`Slots::look`], so that nothing lands unnoticed between the look and the wait.
    pub(super) fn room(&self) -> impl Future<Output = ()> + '_ {
        let mut waiting = Box::pin(self.room.notified());
        waiting.as_mut().enable();
        self.wanted.store(true, Ordering::SeqCst);
        waiting
    }

    /// Completes when there is something for [`Slots::departures`].
    pub(super) async fn something_may_leave(&self) {
        self.departures.notified().await;
    }

    fn tell_of_room(&self) {
        if self.wanted.swap(false, Ordering::SeqCst) {
            self.room.notify_waiters();
        }
    }

    /// Whether it is time to claim, now that something of a lane has landed. Not at every
    /// landing: half a lane's batch is worth a round trip, one row is not.
    fn is_enough(&self, state: &State<W>, id: LaneId, now: Instant) -> bool {
        let free = self.total.saturating_sub(state.used);
        let Some(lane) = state.lanes.get(&id) else {
            return true;
        };
        self.lane_has_room(lane.held())
            || state.is_short && free >= self.total / 4
            || self
                .ahead(lane, state.waiting, state.waiting_bytes, now)
                .is_some()
    }
}

impl<W> State<W> {
    fn fly(&mut self, lane: LaneId, now: Instant) -> u64 {
        self.used += 1;
        self.taken += 1;
        let number = self.taken;
        let flights = &mut self.lanes.entry(lane).or_default().flights;
        flights.insert(number, now);
        number
    }

    /// A flight is over. The lane's turn comes if something of it waits.
    fn land(&mut self, slot: &Slot<W>, per_lane: usize) {
        self.used = self.used.saturating_sub(1);
        let Some(lane) = self.lanes.get_mut(&slot.lane) else {
            return;
        };
        let was_full = lane.flights.len() >= per_lane;
        lane.flights.remove(&slot.number);
        lane.shutting -= usize::from(slot.shuts);
        if was_full && lane.has_waiting() {
            self.turns.push_back(slot.lane);
        }
        self.tidy();
    }

    /// Keeps the memory of lanes without flights within bounds.
    fn tidy(&mut self) {
        if self.lanes.len() <= self.used.saturating_add(REMEMBERED) {
            return;
        }
        let mut excess = REMEMBERED / 2;
        self.lanes.retain(|_, lane| {
            let forget = lane.is_at_rest() && excess > 0;
            excess -= usize::from(forget);
            !forget
        });
    }
}

impl<W> Slot<W> {
    /// Says how the peer did. Returns what must not be sent to it now.
    pub(super) fn report(&mut self, health: Health) -> Vec<W> {
        let mut state = self.slots.state();
        let Some(lane) = state.lanes.get_mut(&self.lane) else {
            return Vec::new();
        };
        if health == Health::Good {
            lane.failed = false;
            return Vec::new();
        }
        lane.did_badly();
        if health == Health::Shut && !self.shuts {
            self.shuts = true;
            lane.shutting += 1;
        }
        let (dismissed, bytes) = lane.dismiss();
        state.waiting -= dismissed.len();
        state.waiting_bytes -= bytes;
        state.turns.retain(|lane| *lane != self.lane);
        dismissed
    }

    /// It has landed well. Returns what leaves in its place.
    pub(super) fn make_way(mut self, now: Instant) -> Option<(Self, W)> {
        self.landed = true;
        let slots = Arc::clone(&self.slots);
        let mut state = slots.state();
        if let Some(lane) = state.lanes.get_mut(&self.lane) {
            lane.did_well(now);
        }
        state.land(&self, slots.per_lane);
        let next = slots.depart(&mut state, now);
        let enough = slots.is_enough(&state, self.lane, now);
        drop(state);
        if enough {
            slots.tell_of_room();
        }
        next
    }
}

impl<W> Drop for Slot<W> {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        let mut state = self.slots.state();
        state.land(self, self.slots.per_lane);
        let may_leave = !state.turns.is_empty();
        let enough = self.slots.is_enough(&state, self.lane, Instant::now());
        drop(state);
        if may_leave {
            self.slots.departures.notify_one();
        }
        if enough {
            self.slots.tell_of_room();
        }
    }
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
