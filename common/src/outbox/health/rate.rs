//! How many requests a second: GCRA, the "leaky bucket as a meter". All that has to be
//! kept for a destination is one number, so that any number of workers can share it.

use crate::unix_millis::UnixMillis;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A limit. What is saved up while nothing happens is one second's worth at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::outbox) struct Rate {
    /// Microseconds between two requests that come evenly.
    interval: i64,
    /// Requests that may come at once.
    burst: i64,
}

impl Rate {
    /// None: no limit.
    pub(in crate::outbox) fn per_second(requests: i32) -> Option<Self> {
        let burst = i64::from(requests);
        (burst > 0).then(|| Self {
            // Rounded up, so that it is never one too many.
            interval: (MICROS_PER_SECOND + burst - 1) / burst,
            burst,
        })
    }

    /// By how much requests may come too early.
    fn tolerance(self) -> i64 {
        self.interval.saturating_mul(self.burst - 1)
    }

    /// How many requests may be made now. `arrival` is when the next one would come if
    /// all came evenly, in microseconds since the epoch.
    pub(in crate::outbox) fn available(self, arrival: i64, now: UnixMillis) -> usize {
        let now = micros(now);
        let spare = now
            .saturating_add(self.tolerance())
            .saturating_sub(arrival.max(now));
        if spare < 0 {
            return 0;
        }
        let number = (spare / self.interval).saturating_add(1).min(self.burst);
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    /// The new arrival, once this many requests are made.
    pub(in crate::outbox) fn taken(self, arrival: i64, now: UnixMillis, requests: usize) -> i64 {
        let requests = i64::try_from(requests).unwrap_or(i64::MAX);
        arrival
            .max(micros(now))
            .saturating_add(self.interval.saturating_mul(requests))
    }

    /// When at least one request may be made.
    pub(in crate::outbox) fn next(self, arrival: i64) -> UnixMillis {
        let earliest = arrival.saturating_sub(self.tolerance());
        let (millis, rest) = (earliest.div_euclid(1000), earliest.rem_euclid(1000));
        UnixMillis::from_millis(millis.saturating_add(i64::from(rest > 0)))
    }
}

/// Microseconds since the epoch.
pub(in crate::outbox) fn micros(instant: UnixMillis) -> i64 {
    instant.millis().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

    fn after(millis: u64) -> UnixMillis {
        NOW.plus(Duration::from_millis(millis))
    }

    #[test]
    fn one_seconds_worth_may_come_at_once_and_then_all_come_evenly() {
        let rate = Rate::per_second(5).unwrap();
        assert_eq!(rate.available(0, NOW), 5);
        let arrival = rate.taken(0, NOW, 5);
        assert_eq!(rate.available(arrival, NOW), 0);
        assert_eq!(rate.next(arrival), after(200));
        assert_eq!(rate.available(arrival, after(199)), 0);
        assert_eq!(rate.available(arrival, after(200)), 1);
        assert_eq!(rate.available(arrival, after(600)), 3);
        // However long nothing came.
        assert_eq!(rate.available(arrival, after(3_600_000)), 5);
    }

    #[test]
    fn a_rate_that_does_not_divide_a_second_is_never_exceeded() {
        let rate = Rate::per_second(3).unwrap();
        let (mut arrival, mut made) = (0, 0);
        for millis in 0..10_000 {
            let number = rate.available(arrival, after(millis));
            arrival = rate.taken(arrival, after(millis), number);
            made += number;
        }
        // Three to begin with, and three in each of ten seconds, the last of which are
        // not quite over.
        assert_eq!(made, 3 + 29);
    }

    #[test]
    fn what_is_taken_from_the_past_counts_from_now() {
        let rate = Rate::per_second(1).unwrap();
        let arrival = rate.taken(7, NOW, 1);
        assert_eq!(rate.next(arrival), after(1000));
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert_eq!((Rate::per_second(0), Rate::per_second(-1)), (None, None));
        assert_eq!(Rate::per_second(i32::MAX).unwrap().interval, 1);
    }
}
