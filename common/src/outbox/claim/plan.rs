//! Who gets how much of a claim: a pure function of what there is and what is known.
//!
//! Every destination that has something due gets a fair share before any gets more, what is
//! fresh goes before what is tried again, and that gets a share too.

use std::collections::{HashMap, HashSet};

use super::scan::Head;
use super::{ClaimRequest, Destinations};
use crate::id::DestinationId;
use crate::outbox::health::{Admission, DestinationState, Rate, States};
use crate::outbox::{PRIORITY_NEW, PRIORITY_RETRY};
use crate::unix_millis::UnixMillis;

/// What is tried again gets a quarter where there is something fresh as well.
const RETRY_SHARE: usize = 4;

/// Destinations of one claim at most. Those that wait longest come first, so that the others
/// get their turn in the next.
const DESTINATIONS: usize = 256;

/// A destination that has something due.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) state: DestinationState,
    pub(super) rate: Option<Rate>,
    /// The rows are all that the destination is tried with.
    pub(super) probe: bool,
    /// How many rows it has got.
    pub(super) taken: usize,
    degraded: bool,
    /// How many rows it may get beside the limits that hold for all.
    prefetch: Option<usize>,
    /// Since when there is something due, fresh and tried before.
    due: [Option<UnixMillis>; 2],
    /// How many more rows it may get.
    room: usize,
}

/// Rows of a destination and priority to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) destination: DestinationId,
    pub(super) priority: i16,
    pub(super) rows: usize,
}

/// A claim in the making.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) destinations: Vec<Candidate>,
    free: usize,
    degraded_free: usize,
}

/// [`Destinations`], to look things up in.
struct Known {
    closed: HashSet<DestinationId>,
    degraded: HashSet<DestinationId>,
    prefetch: HashMap<DestinationId, usize>,
}

impl Known {
    fn new(destinations: &Destinations) -> Self {
        Self {
            closed: destinations.closed.iter().copied().collect(),
            degraded: destinations.degraded.iter().copied().collect(),
            prefetch: destinations.prefetch.iter().copied().collect(),
        }
    }
}

impl Candidate {
    fn new(destination: &[Head], request: &ClaimRequest, known: &Known) -> Option<Self> {
        let state = destination.first()?.state.clone();
        let due = |priority| {
            let head = destination.iter().find(|head| head.priority == priority)?;
            (head.due_at <= request.now).then_some(head.due_at)
        };
        let mut candidate = Self {
            rate: destination.first()?.rate_limit.and_then(Rate::per_second),
            probe: false,
            taken: 0,
            degraded: known.degraded.contains(&state.destination),
            prefetch: known.prefetch.get(&state.destination).copied(),
            due: [due(PRIORITY_NEW), due(PRIORITY_RETRY)],
            room: 0,
            state,
        };
        candidate.measure(request);
        let wanted = candidate.has_something() && candidate.room > 0;
        wanted.then_some(candidate)
    }

    /// How much the destination may get, by its state.
    fn measure(&mut self, request: &ClaimRequest) {
        let gate = self.state.admission(request.now);
        self.probe = gate == Admission::Probe;
        if self.probe || self.rate.is_some() {
            self.prefetch = None;
        }
        self.room = match gate {
            Admission::Open => self.prefetch.unwrap_or(request.per_destination),
            Admission::Probe => request.per_destination.min(1),
            Admission::Until(_) | Admission::Disabled => 0,
        };
        if let Some(rate) = self.rate {
            let available = rate.available(self.state.theoretical_arrival_micros, request.now);
            self.room = self.room.min(available);
        }
    }

    /// Whether others must be kept from the same while this claim takes it.
    fn is_contended(&self) -> bool {
        self.probe || self.rate.is_some()
    }

    fn has_something(&self) -> bool {
        self.due.iter().any(Option::is_some)
    }

    fn due_since(&self) -> Option<UnixMillis> {
        self.due.iter().flatten().min().copied()
    }

    /// Shares rows out between what is fresh and what is not.
    fn split(&self, rows: usize) -> [Want; 2] {
        let want = |priority, rows| Want {
            destination: self.state.destination,
            priority,
            rows,
        };
        let again = match self.due {
            [_, None] => 0,
            [None, Some(_)] => rows,
            // One of both at a time: whatever waits longer.
            [Some(fresh), Some(again)] if rows == 1 => usize::from(again < fresh),
            [Some(_), Some(_)] => (rows / RETRY_SHARE).max(1).min(rows),
        };
        [
            want(PRIORITY_NEW, rows - again),
            want(PRIORITY_RETRY, again),
        ]
    }
}

impl Plan {
    pub(super) fn new(heads: &[Head], request: &ClaimRequest) -> Self {
        let known = Known::new(&request.destinations);
        let destinations = heads
            .chunk_by(|a, b| a.state.destination == b.state.destination)
            .filter(|destination| {
                destination
                    .first()
                    .is_some_and(|head| !known.closed.contains(&head.state.destination))
            })
            .filter_map(|destination| Candidate::new(destination, request, &known))
            .collect();
        let mut destinations = in_turn(destinations);
        destinations.truncate(DESTINATIONS);
        Self {
            destinations,
            free: request.limit,
            degraded_free: request.destinations.degraded_limit,
        }
    }

    /// The destinations that must be locked before anything of them is taken, in order.
    pub(super) fn contended(&self) -> Vec<DestinationId> {
        let contended = self
            .destinations
            .iter()
            .filter(|destination| destination.is_contended());
        let mut destinations: Vec<DestinationId> = contended
            .map(|destination| destination.state.destination)
            .collect();
        destinations.sort_unstable();
        destinations
    }

    /// Goes on with what the lock has shown. Destinations that somebody else holds are out.
    pub(super) fn locked(&mut self, mut states: States, request: &ClaimRequest) {
        self.destinations.retain_mut(|destination| {
            if !destination.is_contended() {
                return true;
            }
            let Some(state) = states.remove(&destination.state.destination) else {
                return false;
            };
            destination.state = state;
            destination.measure(request);
            destination.room > 0
        });
    }

    /// What to take next; nothing if there is nothing left, or no room.
    pub(super) fn round(&self) -> Vec<Want> {
        let open = |degraded: bool| {
            let open = self.destinations.iter().filter(move |destination| {
                destination.degraded == degraded
                    && destination.room > 0
                    && destination.has_something()
            });
            open.collect::<Vec<_>>()
        };
        let mut wants = share(&open(true), self.degraded_free.min(self.free));
        let given: usize = wants.iter().map(|want| want.rows).sum();
        wants.append(&mut share(&open(false), self.free.saturating_sub(given)));
        wants
    }

    /// Takes note of what came of a want.
    pub(super) fn took(&mut self, want: &Want, rows: usize) {
        let Some(destination) = self
            .destinations
            .iter_mut()
            .find(|destination| destination.state.destination == want.destination)
        else {
            return;
        };
        if rows < want.rows {
            let [fresh, again] = &mut destination.due;
            *(if want.priority == PRIORITY_RETRY {
                again
            } else {
                fresh
            }) = None;
        }
        destination.taken += rows;
        destination.room = destination.room.saturating_sub(rows);
        if destination.prefetch.is_none() {
            self.free = self.free.saturating_sub(rows);
        }
        if destination.degraded {
            self.degraded_free = self.degraded_free.saturating_sub(rows);
        }
    }
}

/// Who waits longest comes first. Of four, one may have nothing but what was tried
/// before: a heap of failures must not stand before what is fresh, nor the reverse.
fn in_turn(mut destinations: Vec<Candidate>) -> Vec<Candidate> {
    destinations.sort_by_key(Candidate::due_since);
    let (fresh, again): (Vec<_>, Vec<_>) = destinations
        .into_iter()
        .partition(|destination| destination.due[0].is_some());
    let (mut fresh, mut again) = (fresh.into_iter(), again.into_iter());
    let mut turn = Vec::new();
    loop {
        let before = turn.len();
        turn.extend(fresh.by_ref().take(RETRY_SHARE - 1));
        turn.extend(again.by_ref().take(1));
        if turn.len() == before {
            return turn;
        }
    }
}

/// The same for each destination, as far as it has room and there is enough for all.
fn share(destinations: &[&Candidate], rows: usize) -> Vec<Want> {
    let fair = (rows / destinations.len().max(1)).max(1);
    let mut left = rows;
    let mut wants = Vec::new();
    for destination in destinations {
        let quota = match destination.prefetch {
            Some(_) => destination.room,
            None => destination.room.min(fair).min(left),
        };
        if destination.prefetch.is_none() {
            left -= quota;
        }
        wants.extend(
            destination
                .split(quota)
                .into_iter()
                .filter(|want| want.rows > 0),
        );
    }
    wants
}
