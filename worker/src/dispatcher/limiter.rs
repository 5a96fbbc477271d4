//! The limiter: how many attempts run at the same time, in all and for each destination, which jobs wait
//! for a slot, and which destinations are suspect.
//!
//! A destination is suspect if it failed last, or if one of its attempts is over a second old.
//! Suspect destinations share half of the slots: dozens of hanging receivers leave the healthy
//! ones the other half. The last eighth is for destinations that have nothing in flight, so that
//! one more begins at once whatever all others do. Destinations that lead to one server share what
//! a destination may have, and take turns. A destination that does well has deliveries wait here, so that the next
//! leaves when one finishes, and not when the database has been asked again; when it fails,
//! they are dismissed. Nothing here knows the database; [`Capacity`] says what to claim.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beadle_common::id::DestinationId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Server;
use super::capacity::{Capacity, Health};
use super::counts::{State, Taken};
use super::destination::{Destination, Waiting};

/// Bytes that wait at most, of all destinations together.
const WAITING_BYTES: usize = 4 << 20;

/// Deliveries that wait at most, of all destinations together.
const WAITING: usize = 1024;

/// One slot of so many is for destinations that have nothing in flight.
const KEPT: usize = 8;

/// Counts what is in flight, and holds what waits: `W`.
pub(super) struct Limiter<W> {
    total: usize,
    /// Of one destination, and of all destinations that lead to one server.
    per_destination: usize,
    state: Mutex<State<W>>,
    /// Somebody waits for room.
    wanted: AtomicBool,
    room: Notify,
    /// Something could leave, and nothing has finished that takes it along.
    ready: Notify,
}

impl<W> fmt::Debug for Limiter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("total", &self.total)
            .field("per_destination", &self.per_destination)
            .finish_non_exhaustive()
    }
}

/// One delivery in flight. Dropping it makes room.
pub(super) struct Slot<W> {
    limiter: Arc<Limiter<W>>,
    taken: Taken,
    finished: bool,
}

/// What becomes of what was claimed.
pub(super) enum Admission<W> {
    /// It leaves now.
    Now(Slot<W>, W),
    /// It leaves when something finishes.
    Waits,
    /// Its destination does badly, or the worker stops: it must not leave at all.
    Refused(W),
}

impl<W> Limiter<W> {
    pub(super) fn new(total: usize, per_destination: usize) -> Self {
        Self {
            total: total.max(1),
            per_destination: per_destination.max(1),
            state: Mutex::default(),
            wanted: AtomicBool::new(false),
            room: Notify::new(),
            ready: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        // The counts are right after every statement, so a panic leaves no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows of one destination to claim at once: half of its slots, since the other half is
    /// busy while they are fetched.
    fn destination_batch(&self) -> usize {
        (self.per_destination / 2).max(1)
    }

    /// Slots that only destinations with nothing in flight get.
    fn kept(&self) -> usize {
        self.total / KEPT
    }

    /// Whether the server takes no more for now.
    fn is_crowded(&self, state: &State<W>, server: Option<&Server>) -> bool {
        let attempts = server.and_then(|server| state.servers.get(server));
        attempts.is_some_and(|attempts| *attempts >= self.per_destination)
    }

    /// Whether the destination may have one more in flight, and that one go to this server.
    fn may_fly(
        &self,
        state: &State<W>,
        destination: &Destination<W>,
        server: Option<&Server>,
    ) -> bool {
        let kept = match destination.attempts.is_empty() {
            true => 0,
            false => self.kept(),
        };
        state.used + kept < self.total
            && destination.attempts.len() < self.per_destination
            && !self.is_crowded(state, server)
    }

    fn destination_has_room(&self, held: usize) -> bool {
        held.saturating_add(self.destination_batch()) <= self.per_destination
    }

    /// How many rows a destination may get ahead of its slots, if that is worth a round trip. A
    /// power of two, since destinations that want the same are asked for together.
    fn ahead(
        &self,
        destination: &Destination<W>,
        waiting: usize,
        bytes: usize,
        now: Instant,
    ) -> Option<usize> {
        let spare_bytes = WAITING_BYTES.saturating_sub(bytes);
        let reach = destination.reach(self.per_destination, spare_bytes, now)?;
        let spare = WAITING.saturating_sub(waiting) + self.per_destination;
        let rows = reach.saturating_sub(destination.held()).min(spare);
        let worth_it = rows >= self.destination_batch() && 2 * rows >= reach - self.per_destination;
        worth_it.then(|| 1 << rows.ilog2())
    }

    /// What may be claimed now.
    pub(super) fn capacity(&self, now: Instant) -> Capacity {
        let mut state = self.state();
        state
            .destinations
            .retain(|_, destination| !destination.is_forgettable(now));
        let free = self.total.saturating_sub(state.used);
        state.is_short = free < self.total / 4;
        let only_kept = free <= self.kept();
        let (rows, per_destination) = match only_kept {
            true => (free, 1),
            false => (free - self.kept(), self.destination_batch()),
        };
        let (mut waiting, bytes) = (state.waiting, state.waiting_bytes);
        let (mut suspects, mut closed, mut ahead) = (Vec::new(), Vec::new(), Vec::new());
        let mut suspects_fly = 0;
        for (id, destination) in &state.destinations {
            let is_suspect = destination.is_suspect(now);
            if is_suspect {
                suspects_fly += destination.attempts.len();
            }
            if destination.shutting > 0 {
                closed.push(*id);
            } else if let Some(rows) = self.ahead(destination, waiting, bytes, now) {
                waiting += rows;
                ahead.push((*id, rows));
            } else if only_kept && !destination.attempts.is_empty()
                || !self.destination_has_room(destination.held())
                || self.waits_for_server(&state, destination)
            {
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
        Capacity {
            rows,
            per_destination,
            suspects,
            suspect_rows,
            closed,
            ahead,
        }
    }

    /// Whether the destination has something at hand that its server has no place for.
    fn waits_for_server(&self, state: &State<W>, destination: &Destination<W>) -> bool {
        let first = destination.first_waiting();
        first.is_some_and(|first| self.is_crowded(state, first.server.as_ref()))
    }

    /// Gives what was claimed a slot, or a place to wait for one.
    pub(super) fn place(
        self: &Arc<Self>,
        id: DestinationId,
        prepared: W,
        bytes: usize,
        server: Option<Server>,
        now: Instant,
    ) -> Admission<W> {
        let state = &mut *self.state();
        let destination = state.destinations.entry(id).or_default();
        destination.weighs(bytes);
        let (failed, waits) = (destination.failed, destination.has_waiting());
        if state.stopped || destination.shutting > 0 {
            return Admission::Refused(prepared);
        }
        let may_fly = |destination| self.may_fly(state, destination, server.as_ref());
        if !waits && state.destinations.get(&id).is_some_and(may_fly) {
            return Admission::Now(self.slot(state, id, server, now), prepared);
        }
        if failed && !self.is_crowded(state, server.as_ref()) {
            return Admission::Refused(prepared);
        }
        let waiting = Waiting {
            prepared,
            bytes,
            server,
        };
        state.waits(id, waiting);
        Admission::Waits
    }

    /// What waits although there is a slot: as a rule whatever finishes takes it along, but
    /// what finished badly does not.
    pub(super) fn ready(self: &Arc<Self>, now: Instant) -> Vec<(Slot<W>, W)> {
        std::iter::from_fn(|| self.start_waiting(&mut self.state(), now)).collect()
    }

    /// The next one whose turn it is.
    fn start_waiting(self: &Arc<Self>, state: &mut State<W>, now: Instant) -> Option<(Slot<W>, W)> {
        let id = state.turns.remove(self.next_turn(state)?)?;
        let destination = state.destinations.get_mut(&id)?;
        let next = destination.next_waiting()?;
        if destination.has_waiting() {
            state.turns.push_back(id);
        }
        state.waiting -= 1;
        state.waiting_bytes -= next.bytes;
        Some((self.slot(state, id, next.server, now), next.prepared))
    }

    /// Where among those that wait the first one is that may leave.
    fn next_turn(&self, state: &State<W>) -> Option<usize> {
        let may_leave = |id: &DestinationId| {
            let destination = state.destinations.get(id)?;
            let server = destination.first_waiting()?.server.as_ref();
            Some(self.may_fly(state, destination, server))
        };
        state
            .turns
            .iter()
            .position(|id| may_leave(id) == Some(true))
    }

    fn slot(
        self: &Arc<Self>,
        state: &mut State<W>,
        destination: DestinationId,
        server: Option<Server>,
        now: Instant,
    ) -> Slot<W> {
        Slot {
            taken: Taken {
                number: state.start(destination, server.as_ref(), now),
                destination,
                server,
                shuts: false,
            },
            limiter: Arc::clone(self),
            finished: false,
        }
    }

    /// Nothing more begins. Returns what waits.
    pub(super) fn stop(&self) -> Vec<W> {
        let mut state = self.state();
        state.stopped = true;
        state.waiting = 0;
        state.waiting_bytes = 0;
        state.turns.clear();
        let destinations = state.destinations.values_mut();
        destinations
            .flat_map(|destination| destination.dismiss().0)
            .collect()
    }

    /// A future that completes when more can be claimed than now. Call it *before*
    /// [`Limiter::capacity`], so that nothing finishes unnoticed between the poll and the wait.
    pub(super) fn room(&self) -> impl Future<Output = ()> + '_ {
        let mut waiting = Box::pin(self.room.notified());
        waiting.as_mut().enable();
        self.wanted.store(true, Ordering::SeqCst);
        waiting
    }

    /// Completes when there is something for [`Limiter::ready`].
    pub(super) async fn something_may_leave(&self) {
        self.ready.notified().await;
    }

    fn tell_of_room(&self) {
        if self.wanted.swap(false, Ordering::SeqCst) {
            self.room.notify_waiters();
        }
    }

    /// Whether it is time to claim, now that something of a destination has finished. Not at every
    /// attempt: half a destination's batch is worth a round trip, one row is not.
    fn is_enough(&self, state: &State<W>, id: DestinationId, now: Instant) -> bool {
        let free = self.total.saturating_sub(state.used);
        let Some(destination) = state.destinations.get(&id) else {
            return true;
        };
        free > self.kept() && self.destination_has_room(destination.held())
            || state.is_short && free >= self.total / 4
            || self
                .ahead(destination, state.waiting, state.waiting_bytes, now)
                .is_some()
    }
}

impl<W> Slot<W> {
    /// Says how the peer did. Returns what must not be sent to it now.
    pub(super) fn report(&mut self, health: Health) -> Vec<W> {
        let mut state = self.limiter.state();
        let Some(destination) = state.destinations.get_mut(&self.taken.destination) else {
            return Vec::new();
        };
        if health == Health::Good {
            destination.failed = false;
            return Vec::new();
        }
        destination.did_badly();
        if health == Health::Shut && !self.taken.shuts {
            self.taken.shuts = true;
            destination.shutting += 1;
        }
        let (dismissed, bytes) = destination.dismiss();
        state.waiting -= dismissed.len();
        state.waiting_bytes -= bytes;
        state
            .turns
            .retain(|destination| *destination != self.taken.destination);
        dismissed
    }

    /// It has finished well. Returns what leaves in its place.
    pub(super) fn make_way(mut self, now: Instant) -> Option<(Self, W)> {
        self.finished = true;
        let slots = Arc::clone(&self.limiter);
        let mut state = slots.state();
        if let Some(destination) = state.destinations.get_mut(&self.taken.destination) {
            destination.did_well(now);
        }
        state.land(&self.taken);
        let next = slots.start_waiting(&mut state, now);
        let enough = slots.is_enough(&state, self.taken.destination, now);
        drop(state);
        if enough {
            slots.tell_of_room();
        }
        next
    }
}

impl<W> Drop for Slot<W> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let mut state = self.limiter.state();
        state.land(&self.taken);
        let may_leave = self.limiter.next_turn(&state).is_some();
        let enough = self
            .limiter
            .is_enough(&state, self.taken.destination, Instant::now());
        drop(state);
        if may_leave {
            self.limiter.ready.notify_one();
        }
        if enough {
            self.limiter.tell_of_room();
        }
    }
}

#[cfg(test)]
mod tests;
