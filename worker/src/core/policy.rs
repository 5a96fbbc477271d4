//! When to try again: a pure function of schedule, attempt, jitter, the
//! peer's wish and the clock. Nothing here reads a clock, draws a number or
//! touches a database; what an outcome *means* is in [`crate::core::outcome`].
//!
//! Waiting because a destination is throttled or its circuit is open is no business
//! of this module: it spends no attempt, so it never comes here.

use std::time::{Duration, UNIX_EPOCH};

pub use beadle_common::outbox::RETRY_AFTER_CAP;

/// The share of a delay that jitter may add at most. It is only ever added,
/// so no attempt comes before its base delay.
const JITTER_SHARE: f64 = 0.1;

/// The delay before each attempt; as many attempts as delays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

/// A schedule without an attempt would lose everything silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a retry schedule needs at least one delay, e.g. `0s,5s,5m`")]
pub struct EmptySchedule;

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, not before this instant (milliseconds since the epoch).
    Retry {
        /// The earliest instant of the next attempt.
        at_millis: i64,
    },
    /// That was the last one.
    Exhausted,
}

impl RetrySchedule {
    /// A schedule of the delays before attempt 1, 2, and so on.
    ///
    /// # Errors
    /// If there is no delay at all.
    pub fn new(delays: Vec<Duration>) -> Result<Self, EmptySchedule> {
        if delays.is_empty() {
            return Err(EmptySchedule);
        }
        Ok(Self(delays))
    }

    /// The schedule that Standard Webhooks recommends: ten attempts over three
    /// days, so that a receiver that breaks on a Friday can be mended on Monday.
    #[must_use]
    pub fn webhook() -> Self {
        Self::of_seconds(&[
            0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
        ])
    }

    /// Eight attempts over a day: greylisting passes within minutes, and a mail
    /// about an action is worth little later.
    #[must_use]
    pub fn mail() -> Self {
        Self::of_seconds(&[0, 60, 300, 900, 3_600, 14_400, 28_800, 43_200])
    }

    fn of_seconds(seconds: &[u64]) -> Self {
        Self(seconds.iter().copied().map(Duration::from_secs).collect())
    }

    /// How many attempts a delivery gets.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The delay before the first attempt; zero unless configured otherwise.
    #[must_use]
    pub fn first_delay(&self) -> Duration {
        self.0.first().copied().unwrap_or_default()
    }

    /// When attempt `attempt_done + 1` comes, or that there is none.
    ///
    /// `jitter` is a number from 0 to 1, drawn anew for each call. `retry_after`
    /// can only delay, and by [`RETRY_AFTER_CAP`] at most.
    #[must_use]
    pub fn next(
        &self,
        attempt_done: u32,
        jitter: f64,
        retry_after: Option<Duration>,
        now_millis: i64,
    ) -> Next {
        let upcoming = usize::try_from(attempt_done).unwrap_or(usize::MAX);
        let Some(delay) = self.0.get(upcoming) else {
            return Next::Exhausted;
        };
        let scheduled = with_jitter(*delay, jitter);
        let wished = retry_after.unwrap_or_default().min(RETRY_AFTER_CAP);
        Next::Retry {
            at_millis: now_millis.saturating_add(millis(scheduled.max(wished))),
        }
    }
}

fn with_jitter(delay: Duration, jitter: f64) -> Duration {
    // NaN would make the multiplication panic.
    let jitter = if jitter.is_finite() {
        jitter.clamp(0.0, 1.0)
    } else {
        0.0
    };
    delay.saturating_add(delay.mul_f64(jitter * JITTER_SHARE))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Reads a `Retry-After` header: whole seconds or an HTTP date. A value that
/// is neither, or a date gone by, is `None`: it never shortens a wait.
#[must_use]
pub fn parse_retry_after(value: &str, now_millis: i64) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits for a number still mean "very late".
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_CAP));
    }
    let now = UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(now_millis).ok()?))?;
    let date = httpdate::parse_http_date(value).ok()?;
    let wait = date.duration_since(now).ok()?;
    Some(wait.min(RETRY_AFTER_CAP))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_750_000_000_000;

    fn at(next: Next) -> i64 {
        match next {
            Next::Retry { at_millis } => at_millis,
            Next::Exhausted => panic!("exhausted"),
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let schedule = RetrySchedule::webhook();
        assert_eq!(schedule.attempts(), 10);
        assert_eq!(schedule.first_delay(), Duration::ZERO);
        let total: Duration = schedule.0.iter().sum();
        let hours = Duration::from_secs(75 * 3600 + 35 * 60 + 5);
        assert_eq!(total, hours);
        assert_eq!(RetrySchedule::mail().attempts(), 8);
    }

    #[test]
    fn an_empty_schedule_is_refused() {
        assert_eq!(RetrySchedule::new(Vec::new()), Err(EmptySchedule));
    }

    #[test]
    fn the_delay_is_that_of_the_coming_attempt() {
        let schedule = RetrySchedule::webhook();
        assert_eq!(at(schedule.next(1, 0.0, None, NOW)), NOW + 5_000);
        assert_eq!(at(schedule.next(9, 0.0, None, NOW)), NOW + 86_400_000);
        assert_eq!(schedule.next(10, 0.0, None, NOW), Next::Exhausted);
        assert_eq!(schedule.next(u32::MAX, 0.0, None, NOW), Next::Exhausted);
    }

    #[test]
    fn jitter_adds_a_tenth_at_most() {
        let schedule = RetrySchedule::webhook();
        assert_eq!(at(schedule.next(2, 1.0, None, NOW)), NOW + 330_000);
        assert_eq!(at(schedule.next(2, 7.0, None, NOW)), NOW + 330_000);
        assert_eq!(at(schedule.next(2, f64::NAN, None, NOW)), NOW + 300_000);
    }

    #[test]
    fn retry_after_only_delays() {
        let schedule = RetrySchedule::webhook();
        let short = Some(Duration::from_secs(1));
        let long = Some(Duration::from_secs(60));
        assert_eq!(at(schedule.next(1, 0.0, short, NOW)), NOW + 5_000);
        assert_eq!(at(schedule.next(1, 0.0, long, NOW)), NOW + 60_000);
    }

    #[test]
    fn retry_after_waits_a_day_at_most() {
        let year = Some(Duration::from_secs(365 * 86_400));
        let next = RetrySchedule::webhook().next(1, 0.0, year, NOW);
        assert_eq!(at(next), NOW + 86_400_000);
    }

    #[test]
    fn retry_after_saves_no_exhausted_delivery() {
        let wish = Some(Duration::from_secs(60));
        let next = RetrySchedule::webhook().next(10, 0.0, wish, NOW);
        assert_eq!(next, Next::Exhausted);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date() {
        let date = |seconds: i64| {
            let instant = u64::try_from(NOW / 1000 + seconds).unwrap();
            httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(instant))
        };
        for (value, seconds) in [
            ("120".to_owned(), Some(120)),
            (" 7 ".to_owned(), Some(7)),
            ("0".to_owned(), Some(0)),
            ("99999999999999999999999".to_owned(), Some(86_400)),
            (date(90), Some(90)),
            (date(1_000_000), Some(86_400)),
            (date(-90), None),
            (String::new(), None),
            ("-5".to_owned(), None),
            ("1.5".to_owned(), None),
            ("soon".to_owned(), None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(parse_retry_after(&value, NOW), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn an_attempt_never_comes_early_and_attempts_end(
            seconds in prop::collection::vec(0u64..200_000, 1..20),
            attempt in 0u32..30,
            jitter in 0.0f64..=1.0,
            wish in prop::option::of(0u64..1_000_000),
            now in 0i64..4_000_000_000_000,
        ) {
            let schedule = RetrySchedule::of_seconds(&seconds);
            let wish = wish.map(Duration::from_secs);
            match schedule.next(attempt, jitter, wish, now) {
                Next::Exhausted => prop_assert!(attempt >= schedule.attempts()),
                Next::Retry { at_millis } => {
                    prop_assert!(attempt < schedule.attempts());
                    let base = millis(schedule.0[usize::try_from(attempt).unwrap()]);
                    let wait = at_millis - now;
                    prop_assert!(wait >= base);
                    let asked = millis(wish.unwrap_or_default().min(RETRY_AFTER_CAP));
                    prop_assert!(wait >= asked);
                    prop_assert!(wait <= (base + base / 10 + 1).max(asked));
                }
            }
        }

        #[test]
        fn any_retry_after_is_survived(value in ".*", now in any::<i64>()) {
            if let Some(wait) = parse_retry_after(&value, now) {
                prop_assert!(wait <= RETRY_AFTER_CAP);
            }
        }
    }
}
