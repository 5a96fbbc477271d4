//! What a worker knows of one destination: what is in flight, what waits, how well it does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::Server;

/// A flight of this age makes its destination suspect.
const SLOW: Duration = Duration::from_secs(1);

/// What a destination has finished in this time is what it may keep at hand.
const WINDOW: Duration = Duration::from_millis(50);

/// Deliveries that wait for one destination at most. That is a few milliseconds' worth of the
/// fastest receiver: longer than a claim takes, and soon over when the worker stops.
const MOST_WAITING: usize = 256;

/// Claimed, and to be sent as soon as something finishes.
pub(super) struct Waiting<W> {
    pub(super) prepared: W,
    pub(super) bytes: usize,
    /// Where it goes, if others go there as well.
    pub(super) server: Option<Server>,
}

/// One destination.
pub(super) struct Destination<W> {
    /// When each attempt began, in the order in which they did.
    pub(super) attempts: BTreeMap<u64, Instant>,
    pub(super) failed: bool,
    /// Flights whose settling may shut the destination for all workers. Until it has, nothing
    /// more is claimed of it: that would only use up attempts.
    pub(super) shutting: usize,
    waiting: VecDeque<Waiting<W>>,
    /// Bytes of those.
    bytes: usize,
    /// Bytes of one delivery, as far as is known.
    bytes_each: usize,
    pace: Pace,
}

impl<W> Default for Destination<W> {
    fn default() -> Self {
        Self {
            attempts: BTreeMap::new(),
            failed: false,
            shutting: 0,
            waiting: VecDeque::new(),
            bytes: 0,
            bytes_each: 0,
            pace: Pace::default(),
        }
    }
}

impl<W> Destination<W> {
    pub(super) fn is_suspect(&self, now: Instant) -> bool {
        let oldest = self.attempts.values().next();
        self.failed || oldest.is_some_and(|began| now.duration_since(*began) >= SLOW)
    }

    /// Nothing is known of it that would make a difference.
    pub(super) fn is_forgettable(&self, now: Instant) -> bool {
        self.is_at_rest() && !self.failed && self.pace.recent(now) == 0
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.attempts.is_empty() && self.waiting.is_empty()
    }

    /// Claimed and not finished.
    pub(super) fn held(&self) -> usize {
        self.attempts.len() + self.waiting.len()
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What is next of what waits.
    pub(super) fn first_waiting(&self) -> Option<&Waiting<W>> {
        self.waiting.front()
    }

    pub(super) fn waits(&mut self, waiting: Waiting<W>) {
        self.bytes += waiting.bytes;
        self.waiting.push_back(waiting);
    }

    /// One of its deliveries has so many bytes. What came last tells most; what came
    /// before tells something.
    pub(super) fn weighs(&mut self, bytes: usize) {
        self.bytes_each = bytes.max(self.bytes_each / 2);
    }

    pub(super) fn next_waiting(&mut self) -> Option<Waiting<W>> {
        let next = self.waiting.pop_front()?;
        self.bytes -= next.bytes;
        Some(next)
    }

    /// Nothing waits any more: returns what did, and its bytes.
    pub(super) fn dismiss(&mut self) -> (Vec<W>, usize) {
        let waiting = std::mem::take(&mut self.waiting);
        let bytes = std::mem::take(&mut self.bytes);
        (
            waiting
                .into_iter()
                .map(|waiting| waiting.prepared)
                .collect(),
            bytes,
        )
    }

    /// An attempt has finished well.
    pub(super) fn did_well(&mut self, now: Instant) {
        self.pace.finished(now);
    }

    /// An attempt has not finished well: what the destination has shown so far counts for nothing.
    pub(super) fn did_badly(&mut self) {
        self.failed = true;
        self.pace = Pace::default();
    }

    /// How many deliveries may be held, if the destination does so well that some should wait;
    /// all of them within `bytes`.
    pub(super) fn reach(
        &self,
        per_destination: usize,
        bytes: usize,
        now: Instant,
    ) -> Option<usize> {
        if self.is_suspect(now) {
            return None;
        }
        let affordable = self.waiting.len() + bytes / self.bytes_each.max(1);
        let ahead = self.pace.recent(now).min(MOST_WAITING).min(affordable);
        (ahead > per_destination / 2).then_some(per_destination + ahead)
    }
}

/// How many attempts have finished well of late.
#[derive(Debug, Default)]
struct Pace {
    since: Option<Instant>,
    finished: usize,
    before: usize,
}

impl Pace {
    fn finished(&mut self, now: Instant) {
        match self.windows_since(now) {
            Some(0) => {}
            Some(1) => {
                self.before = std::mem::take(&mut self.finished);
                self.since = Some(now);
            }
            _ => {
                *self = Self {
                    since: Some(now),
                    ..Self::default()
                }
            }
        }
        self.finished += 1;
    }

    fn recent(&self, now: Instant) -> usize {
        match self.windows_since(now) {
            Some(0) => self.finished.max(self.before),
            Some(1) => self.finished,
            _ => 0,
        }
    }

    fn windows_since(&self, now: Instant) -> Option<u128> {
        let passed = now.duration_since(self.since?);
        Some(passed.as_micros() / WINDOW.as_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_destination_did_long_ago_is_forgotten() {
        let (mut destination, began) = (Destination::<()>::default(), Instant::now());
        for _ in 0..100 {
            destination.did_well(began);
        }
        assert_eq!(destination.reach(16, 1000, began), Some(116));
        assert_eq!(destination.reach(16, 1000, began + WINDOW), Some(116));
        assert!(!destination.is_forgettable(began + WINDOW));
        assert_eq!(destination.reach(16, 1000, began + 2 * WINDOW), None);
        assert!(destination.is_forgettable(began + 2 * WINDOW));
    }

    #[test]
    fn a_slow_destination_has_nothing_wait() {
        let (mut destination, mut now) = (Destination::<()>::default(), Instant::now());
        for _ in 0..100 {
            destination.did_well(now);
            now += WINDOW / 8;
        }
        assert_eq!(destination.reach(16, 1000, now), None);
    }

    #[test]
    fn large_deliveries_do_not_wait_in_heaps() {
        let (mut destination, now) = (Destination::<()>::default(), Instant::now());
        for _ in 0..1000 {
            destination.did_well(now);
        }
        assert_eq!(destination.reach(16, 1 << 20, now), Some(16 + MOST_WAITING));
        destination.weighs(10_000);
        destination.waits(Waiting {
            prepared: (),
            bytes: 10_000,
            server: None,
        });
        assert_eq!(destination.reach(16, 1 << 20, now), Some(16 + 1 + 104));
        assert_eq!(destination.dismiss(), (vec![()], 10_000));
        destination.did_badly();
        destination.failed = false;
        assert_eq!(destination.reach(16, 1 << 20, now), None);
    }
}
