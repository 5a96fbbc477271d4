//! How a destination fares: pure functions from how its attempts went to what follows.

use std::time::Duration;

use diesel::prelude::*;

use super::rate::micros;
use crate::db::sql_type::text_enum;
use crate::id::DestinationId;
use crate::schema::destination_states;
use crate::unix_millis::UnixMillis;

/// Failures in a row that open the circuit.
pub const FAILURES_TO_OPEN: i32 = 10;

/// How long an open circuit rests; twice as long each time that its probe fails.
pub const CIRCUIT_REST: Duration = Duration::from_secs(1);

/// Longer than that it never rests.
pub const CIRCUIT_REST_CAP: Duration = Duration::from_secs(60);

/// How long an overloaded destination rests at least; twice as long each time that it is
/// still overloaded afterwards.
pub const THROTTLE_REST: Duration = Duration::from_secs(1);

/// Longer than that it rests only if its peer asks for it.
pub const THROTTLE_REST_CAP: Duration = Duration::from_secs(60);

/// The longest wait that a peer can ask for. Longer, and one wrong header would park
/// everything for a year.
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(24 * 60 * 60);

text_enum! {
    /// Whether a destination is tried at all.
    Circuit {
        /// As usual.
        Closed = "Closed",
        /// Not for a while.
        Open = "Open",
        /// With one delivery; the others wait for how it goes.
        HalfOpen = "HalfOpen",
    }
}

text_enum! {
    /// Why a webhook is disabled.
    DisabledReason {
        /// It said that it is gone for good.
        Gone = "gone",
        /// Nothing but failures, for long.
        Failing = "failing",
    }
}

/// How a destination fares, as all workers see it.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset, QueryableByName,
)]
#[diesel(table_name = destination_states, treat_none_as_null = true)]
pub struct DestinationState {
    /// Which.
    pub destination: DestinationId,
    /// Nothing but failures since then.
    pub failing_since: Option<UnixMillis>,
    /// How many in a row.
    pub failures: i32,
    /// Its peer asked to be left alone until then.
    pub throttled_until: Option<UnixMillis>,
    /// How often in a row it did.
    pub throttles: i32,
    /// Whether it is tried.
    pub circuit: Circuit,
    /// Open: until when it rests. Half open: when its probe counts as lost.
    pub circuit_until: Option<UnixMillis>,
    /// How often in a row the circuit opened.
    pub circuit_opened: i32,
    /// When the next request would come if all came evenly, in microseconds since the
    /// epoch.
    pub theoretical_arrival_micros: i64,
    /// When it was disabled, if it is.
    pub disabled_instant: Option<UnixMillis>,
    /// Why.
    pub disabled_reason: Option<DisabledReason>,
}

/// What an attempt says about its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerSignal {
    /// The peer does its part.
    Good,
    /// It does not.
    Bad,
    /// It is overloaded, and may have said for how long.
    Overloaded(Option<Duration>),
    /// It is gone for good.
    Gone,
    /// The attempt never reached the peer's judgement.
    Silent,
}

/// One attempt, as far as its destination is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::outbox) struct AttemptSignal {
    pub(in crate::outbox) began: UnixMillis,
    pub(in crate::outbox) ended: UnixMillis,
    pub(in crate::outbox) peer_signal: PeerSignal,
    /// It was the one that the destination was tried with, with a lease until then.
    pub(in crate::outbox) probe: Option<UnixMillis>,
}

/// A change of a destination that somebody should hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationEvent {
    /// It gets nothing any more until it is enabled.
    Disabled(DisabledReason),
    /// It rests until then.
    CircuitOpened(UnixMillis),
    /// It works again.
    CircuitClosed,
}

/// Whether a destination may be claimed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::outbox) enum Admission {
    Open,
    /// With one delivery.
    Probe,
    /// Not before.
    Until(UnixMillis),
    /// Not before somebody enables it.
    Disabled,
}

impl DestinationState {
    /// The state of a destination of which nothing is known.
    #[must_use]
    pub fn healthy(destination: DestinationId) -> Self {
        Self {
            destination,
            failing_since: None,
            failures: 0,
            throttled_until: None,
            throttles: 0,
            circuit: Circuit::Closed,
            circuit_until: None,
            circuit_opened: 0,
            theoretical_arrival_micros: 0,
            disabled_instant: None,
            disabled_reason: None,
        }
    }

    /// When and why it was disabled.
    #[must_use]
    pub fn disabled(&self) -> Option<(UnixMillis, DisabledReason)> {
        self.disabled_instant.zip(self.disabled_reason)
    }

    /// Whether it says no more than that there is nothing to say.
    pub(in crate::outbox) fn is_plain(&self, now: UnixMillis) -> bool {
        let spent = Self {
            theoretical_arrival_micros: 0,
            ..self.clone()
        };
        self.theoretical_arrival_micros <= micros(now) && spent == Self::healthy(self.destination)
    }

    /// Whether the destination may be claimed from, its rate aside.
    pub(in crate::outbox) fn admission(&self, now: UnixMillis) -> Admission {
        if self.disabled_instant.is_some() {
            return Admission::Disabled;
        }
        let circuit_until = match self.circuit {
            Circuit::Closed => None,
            Circuit::Open | Circuit::HalfOpen => self.circuit_until,
        };
        match self.throttled_until.max(circuit_until) {
            Some(until) if until > now => Admission::Until(until),
            _ if self.circuit == Circuit::Closed => Admission::Open,
            _ => Admission::Probe,
        }
    }

    /// Whether it has to be left alone, its rate aside: it is disabled, was asked to rest, or
    /// is believed to be down.
    #[must_use]
    pub fn rests(&self, now: UnixMillis) -> bool {
        match self.admission(now) {
            Admission::Open | Admission::Probe => false,
            Admission::Until(_) | Admission::Disabled => true,
        }
    }

    /// Whether a success would change it.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failures > 0 || self.throttles > 0
    }

    /// A probe is on its way, until `lease_end` at most.
    pub(in crate::outbox) fn probed(&mut self, lease_end: UnixMillis) {
        self.circuit = Circuit::HalfOpen;
        self.circuit_until = Some(lease_end);
    }

    /// Takes note of attempts, in the order in which they ended. A destination with nothing but
    /// failures for `disable_after` is disabled.
    pub(in crate::outbox) fn after(
        mut self,
        signals: &[AttemptSignal],
        disable_after: Option<Duration>,
    ) -> (Self, Vec<DestinationEvent>) {
        let mut happenings = Vec::new();
        for signal in signals {
            match signal.peer_signal {
                PeerSignal::Good => self.succeeded(signal, &mut happenings),
                PeerSignal::Silent => self.silent(signal),
                PeerSignal::Bad => self.failed(signal, &mut happenings),
                PeerSignal::Overloaded(retry_after) => {
                    self.overloaded(signal, retry_after);
                    self.failed(signal, &mut happenings);
                }
                PeerSignal::Gone => {
                    self.failed(signal, &mut happenings);
                    self.disable(DisabledReason::Gone, signal.ended, &mut happenings);
                }
            }
            self.give_up(signal, disable_after, &mut happenings);
        }
        (self, happenings)
    }

    fn succeeded(&mut self, signal: &AttemptSignal, happenings: &mut Vec<DestinationEvent>) {
        if self.circuit != Circuit::Closed {
            happenings.push(DestinationEvent::CircuitClosed);
        }
        self.failing_since = None;
        self.failures = 0;
        self.circuit = Circuit::Closed;
        self.circuit_until = None;
        self.circuit_opened = 0;
        // What was under way before says nothing about the wish to be left alone.
        if self.rested_before(signal) {
            self.throttled_until = None;
            self.throttles = 0;
        }
    }

    /// A probe that told nothing makes room for another.
    fn silent(&mut self, signal: &AttemptSignal) {
        if self.is_probed_by(signal) {
            self.circuit = Circuit::Open;
            self.circuit_until = Some(signal.ended);
        }
    }

    /// Whether the destination waits for this one. It does no longer for a probe whose lease has
    /// lapsed once there is another, and only one is to be under way.
    fn is_probed_by(&self, signal: &AttemptSignal) -> bool {
        self.circuit == Circuit::HalfOpen
            && signal.probe.is_some()
            && signal.probe == self.circuit_until
    }

    fn failed(&mut self, signal: &AttemptSignal, happenings: &mut Vec<DestinationEvent>) {
        self.failing_since.get_or_insert(signal.ended);
        self.failures = self.failures.saturating_add(1);
        let opens = match self.circuit {
            Circuit::Closed => self.failures >= FAILURES_TO_OPEN,
            // Others were under way before the circuit opened.
            Circuit::HalfOpen => self.is_probed_by(signal),
            // Whoever did not wait for a probe has been one.
            Circuit::Open => self
                .circuit_until
                .is_some_and(|until| signal.began.min(signal.ended) >= until),
        };
        if !opens {
            return;
        }
        let rest = doubled(CIRCUIT_REST, self.circuit_opened, CIRCUIT_REST_CAP);
        let until = signal.ended.plus(rest);
        if self.circuit_opened == 0 {
            happenings.push(DestinationEvent::CircuitOpened(until));
        }
        self.circuit = Circuit::Open;
        self.circuit_until = Some(until);
        self.circuit_opened = self.circuit_opened.saturating_add(1);
    }

    fn overloaded(&mut self, signal: &AttemptSignal, retry_after: Option<Duration>) {
        let wished = retry_after.unwrap_or_default().min(RETRY_AFTER_CAP);
        let rest = if self.rested_before(signal) {
            let rest = doubled(THROTTLE_REST, self.throttles, THROTTLE_REST_CAP);
            self.throttles = self.throttles.saturating_add(1);
            rest.max(wished)
        } else {
            // Under way before it was asked to rest: no reason to rest for longer.
            wished
        };
        self.throttled_until = self.throttled_until.max(Some(signal.ended.plus(rest)));
    }

    /// Whether the attempt began after the last rest. One that seems to have ended before
    /// it began saw the clock set back, and proves no more than its end does.
    fn rested_before(&self, signal: &AttemptSignal) -> bool {
        let began = signal.began.min(signal.ended);
        self.throttled_until.is_none_or(|until| began >= until)
    }

    /// Only a failure is an occasion for it: that nothing happens is no failure.
    fn give_up(
        &mut self,
        signal: &AttemptSignal,
        after: Option<Duration>,
        happenings: &mut Vec<DestinationEvent>,
    ) {
        let (Some(since), Some(after)) = (self.failing_since, after) else {
            return;
        };
        if signal.peer_signal != PeerSignal::Silent && signal.ended.since(since) >= after {
            self.disable(DisabledReason::Failing, signal.ended, happenings);
        }
    }

    fn disable(
        &mut self,
        reason: DisabledReason,
        now: UnixMillis,
        happenings: &mut Vec<DestinationEvent>,
    ) {
        if self.disabled_instant.is_none() {
            self.disabled_instant = Some(now);
            self.disabled_reason = Some(reason);
            happenings.push(DestinationEvent::Disabled(reason));
        }
    }
}

/// `first`, doubled that many times.
fn doubled(first: Duration, times: i32, cap: Duration) -> Duration {
    let factor = u32::try_from(times).ok().and_then(|n| 2u32.checked_pow(n));
    factor
        .and_then(|factor| first.checked_mul(factor))
        .map_or(cap, |rest| rest.min(cap))
}
