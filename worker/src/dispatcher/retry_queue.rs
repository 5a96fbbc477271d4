//! Settlements that the database refused, though it was there: a row that it will never take,
//! or a statement that took too long this time.
//!
//! Which of the two it was, only another try can tell. Until its lease ends each is tried
//! again, apart from what finishes meanwhile: one that is refused for good must neither keep the
//! others waiting nor stop the claims, and one that was not must not be sent again.

use std::collections::VecDeque;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use beadle_common::unix_millis::UnixMillis;
use tokio::time::Instant as Moment;

use super::attempt::AttemptDone;
use super::{POLL, pause_after_errors};

/// After this many refusals in a row the database itself is taken to be the cause, and claims stop:
/// each further delivery would only be refused too.
const IN_A_ROW: usize = 3;

/// The most settlements that wait here, whatever else the database takes: they use memory.
const MOST: usize = 64;

pub(super) struct RetryQueue {
    /// The next to be tried first.
    done: VecDeque<AttemptDone>,
    /// How many have been refused since anything was written.
    in_a_row: usize,
    pause: ExponentialBackoff,
    not_before: Moment,
}

impl RetryQueue {
    pub(super) fn new() -> Self {
        Self {
            done: VecDeque::new(),
            in_a_row: 0,
            pause: pause_after_errors(),
            not_before: Moment::now(),
        }
    }

    /// Takes in what was not written of a batch of `wanted`.
    pub(super) fn take(&mut self, not_written: Vec<AttemptDone>, wanted: usize) {
        if not_written.len() < wanted {
            self.in_a_row = 0;
        }
        if not_written.is_empty() {
            return;
        }
        self.in_a_row += not_written.len();
        if self.done.is_empty() {
            self.pause.reset();
            self.wait();
        }
        // Their slots would be missed by those that the database takes.
        let without_slot = |done| AttemptDone {
            _kept: None,
            ..done
        };
        let not_written = not_written.into_iter().map(without_slot);
        self.done.extend(not_written);
    }

    fn wait(&mut self) {
        self.not_before = Moment::now() + self.pause.next_backoff().unwrap_or(POLL);
    }

    /// Whoever claims more may not be able to settle it.
    pub(super) fn are_too_many(&self) -> bool {
        let refused = self.done.len();
        refused >= MOST || refused.min(self.in_a_row) >= IN_A_ROW
    }

    /// Completes when it is time to try again; never, if there is nothing to try.
    pub(super) async fn due(&self) {
        match self.done.is_empty() {
            true => std::future::pending().await,
            false => tokio::time::sleep_until(self.not_before).await,
        }
    }

    /// Those whose leases have ended: others may have claimed them.
    pub(super) fn give_up(&mut self, now: UnixMillis) -> Vec<AttemptDone> {
        let done = std::mem::take(&mut self.done).into_iter();
        let (lapsed, held): (Vec<_>, Vec<_>) = done.partition(|done| done.lease_end <= now);
        self.done = held.into();
        lapsed
    }

    /// The one that has waited longest.
    pub(super) fn next(&mut self) -> Option<AttemptDone> {
        self.done.pop_front()
    }

    /// The one that came last from [`RetryQueue::next`] has been taken by the database.
    pub(super) fn has_been_written(&mut self) {
        self.in_a_row = 0;
        self.pause.reset();
    }

    /// It has not.
    pub(super) fn put_back(&mut self, done: AttemptDone) {
        self.done.push_back(done);
        self.wait();
    }

    pub(super) fn into_all(self) -> impl Iterator<Item = AttemptDone> {
        self.done.into_iter()
    }
}
