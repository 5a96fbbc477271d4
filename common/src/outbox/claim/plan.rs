//! Who gets how much of a claim: a pure function of what there is and what is known.
//!
//! Every lane that has something due gets a fair share before any gets more, what is
//! fresh goes before what is tried again, and that gets a share too.

use std::collections::{HashMap, HashSet};

use super::look::Head;
use super::{ClaimRequest, Lanes};
use crate::id::LaneId;
use crate::instant::Instant;
use crate::outbox::health::{Gate, LaneState, Rate, States};
use crate::outbox::{FRESH, RETRIED};

/// What is tried again gets a quarter where there is something fresh as well.
const RETRY_SHARE: usize = 4;

/// Lanes of one claim at most. Those that wait longest come first, so that the others
/// get their turn in the next.
const LANES: usize = 256;

/// A lane that has something due.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) state: LaneState,
    pub(super) rate: Option<Rate>,
    /// The rows are all that the lane is tried with.
    pub(super) probe: bool,
    /// How many rows it has got.
    pub(super) taken: usize,
    suspect: bool,
    /// How many rows it may get beside the limits that hold for all.
    ahead: Option<usize>,
    /// Since when there is something due, fresh and tried before.
    due: [Option<Instant>; 2],
    /// How many more rows it may get.
    room: usize,
}

/// Rows of a lane and tier to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) lane: LaneId,
    pub(super) tier: i16,
    pub(super) rows: usize,
}

/// A claim in the making.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) lanes: Vec<Candidate>,
    free: usize,
    suspects_free: usize,
}

/// [`Lanes`], to look things up in.
struct Known {
    closed: HashSet<LaneId>,
    suspects: HashSet<LaneId>,
    ahead: HashMap<LaneId, usize>,
}

impl Known {
    fn new(lanes: &Lanes) -> Self {
        Self {
            closed: lanes.closed.iter().copied().collect(),
            suspects: lanes.suspects.iter().copied().collect(),
            ahead: lanes.ahead.iter().copied().collect(),
        }
    }
}

impl Candidate {
    fn new(lane: &[Head], request: &ClaimRequest, known: &Known) -> Option<Self> {
        let state = lane.first()?.state.clone();
        let due = |tier| {
            let head = lane.iter().find(|head| head.tier == tier)?;
            (head.due_at <= request.now).then_some(head.due_at)
        };
        let mut candidate = Self {
            rate: lane.first()?.rate_limit.and_then(Rate::per_second),
            probe: false,
            taken: 0,
            suspect: known.suspects.contains(&state.lane),
            ahead: known.ahead.get(&state.lane).copied(),
            due: [due(FRESH), due(RETRIED)],
            room: 0,
            state,
        };
        candidate.measure(request);
        let wanted = candidate.has_something() && candidate.room > 0;
        wanted.then_some(candidate)
    }

    /// How much the lane may get, by its state.
    fn measure(&mut self, request: &ClaimRequest) {
        let gate = self.state.gate(request.now);
        self.probe = gate == Gate::Probe;
        if self.probe || self.rate.is_some() {
            self.ahead = None;
        }
        self.room = match gate {
            Gate::Open => self.ahead.unwrap_or(request.per_lane),
            Gate::Probe => request.per_lane.min(1),
            Gate::Until(_) | Gate::Disabled => 0,
        };
        if let Some(rate) = self.rate {
            let available = rate.available(self.state.rate_tat, request.now);
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

    fn due_since(&self) -> Option<Instant> {
        self.due.iter().flatten().min().copied()
    }

    /// Shares rows out between what is fresh and what is not.
    fn split(&self, rows: usize) -> [Want; 2] {
        let want = |tier, rows| Want {
            lane: self.state.lane,
            tier,
            rows,
        };
        let again = match self.due {
            [_, None] => 0,
            [None, Some(_)] => rows,
            // One of both at a time: whatever waits longer.
            [Some(fresh), Some(again)] if rows == 1 => usize::from(again < fresh),
            [Some(_), Some(_)] => (rows / RETRY_SHARE).max(1).min(rows),
        };
        [want(FRESH, rows - again), want(RETRIED, again)]
    }
}

impl Plan {
    pub(super) fn new(heads: &[Head], request: &ClaimRequest) -> Self {
        let known = Known::new(&request.lanes);
        let lanes = heads
            .chunk_by(|a, b| a.state.lane == b.state.lane)
            .filter(|lane| {
                lane.first()
                    .is_some_and(|head| !known.closed.contains(&head.state.lane))
            })
            .filter_map(|lane| Candidate::new(lane, request, &known))
            .collect();
        let mut lanes = in_turn(lanes);
        lanes.truncate(LANES);
        Self {
            lanes,
            free: request.limit,
            suspects_free: request.lanes.suspect_limit,
        }
    }

    /// The lanes that must be locked before anything of them is taken, in order.
    pub(super) fn contended(&self) -> Vec<LaneId> {
        let contended = self.lanes.iter().filter(|lane| lane.is_contended());
        let mut lanes: Vec<LaneId> = contended.map(|lane| lane.state.lane).collect();
        lanes.sort_unstable();
        lanes
    }

    /// Goes on with what the lock has shown. Lanes that somebody else holds are out.
    pub(super) fn locked(&mut self, mut states: States, request: &ClaimRequest) {
        self.lanes.retain_mut(|lane| {
            if !lane.is_contended() {
                return true;
            }
            let Some(state) = states.remove(&lane.state.lane) else {
                return false;
            };
            lane.state = state;
            lane.measure(request);
            lane.room > 0
        });
    }

    /// What to take next; nothing if there is nothing left, or no room.
    pub(super) fn round(&self) -> Vec<Want> {
        let open = |suspect: bool| {
            let open = self.lanes.iter().filter(move |lane| {
                lane.suspect == suspect && lane.room > 0 && lane.has_something()
            });
            open.collect::<Vec<_>>()
        };
        let mut wants = share(&open(true), self.suspects_free.min(self.free));
        let given: usize = wants.iter().map(|want| want.rows).sum();
        wants.append(&mut share(&open(false), self.free.saturating_sub(given)));
        wants
    }

    /// Takes note of what came of a want.
    pub(super) fn took(&mut self, want: &Want, rows: usize) {
        let Some(lane) = self
            .lanes
            .iter_mut()
            .find(|lane| lane.state.lane == want.lane)
        else {
            return;
        };
        if rows < want.rows {
            let [fresh, again] = &mut lane.due;
            *(if want.tier == RETRIED { again } else { fresh }) = None;
        }
        lane.taken += rows;
        lane.room = lane.room.saturating_sub(rows);
        if lane.ahead.is_none() {
            self.free = self.free.saturating_sub(rows);
        }
        if lane.suspect {
            self.suspects_free = self.suspects_free.saturating_sub(rows);
        }
    }
}

/// Who waits longest comes first. Of four, one may have nothing but what was tried
/// before: a heap of failures must not stand before what is fresh, nor the reverse.
fn in_turn(mut lanes: Vec<Candidate>) -> Vec<Candidate> {
    lanes.sort_by_key(Candidate::due_since);
    let (fresh, again): (Vec<_>, Vec<_>) =
        lanes.into_iter().partition(|lane| lane.due[0].is_some());
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

/// The same for each lane, as far as it has room and there is enough for all.
fn share(lanes: &[&Candidate], rows: usize) -> Vec<Want> {
    let fair = (rows / lanes.len().max(1)).max(1);
    let mut left = rows;
    let mut wants = Vec::new();
    for lane in lanes {
        let quota = match lane.ahead {
            Some(_) => lane.room,
            None => lane.room.min(fair).min(left),
        };
        if lane.ahead.is_none() {
            left -= quota;
        }
        wants.extend(lane.split(quota).into_iter().filter(|want| want.rows > 0));
    }
    wants
}
