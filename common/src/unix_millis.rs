//! Instants as the API and the database know them: whole milliseconds since
//! 1970-01-01T00:00:00Z.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::BigInt;
use serde::{Deserialize, Serialize};

use crate::db::sql_type::wrapped_sql;

/// Milliseconds since the epoch, UTC.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    AsExpression,
    FromSqlRow,
)]
#[diesel(sql_type = BigInt)]
#[serde(transparent)]
pub struct UnixMillis(i64);

wrapped_sql!(UnixMillis, BigInt, i64);

impl UnixMillis {
    /// The largest instant. As an expiry it means "until canceled".
    pub const NEVER: Self = Self(i64::MAX);

    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The clock of this machine. Read it at the edge and pass it on.
    #[must_use]
    pub fn now() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Later by `duration`, at most [`UnixMillis::NEVER`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// Earlier by `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// How long from `earlier` to this one; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// Whether this is [`UnixMillis::NEVER`].
    #[must_use]
    pub const fn is_never(self) -> bool {
        self.0 == i64::MAX
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn never_stays_never_whatever_is_added() {
        assert_eq!(
            UnixMillis::NEVER.plus(Duration::from_secs(1)),
            UnixMillis::NEVER
        );
        assert!(UnixMillis::NEVER.is_never());
    }

    #[test]
    fn since_is_zero_when_the_clock_went_back() {
        let (early, late) = (UnixMillis::from_millis(5), UnixMillis::from_millis(9));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn what_is_added_can_be_measured_and_taken_away(
            start in -8_640_000_000_000_000_i64..=8_640_000_000_000_000,
            millis in 0_u64..=1_000_000_000_000,
        ) {
            let (start, step) = (UnixMillis::from_millis(start), Duration::from_millis(millis));
            let end = start.plus(step);
            prop_assert_eq!(end.since(start), step);
            prop_assert_eq!(end.minus(step), start);
            prop_assert!(end >= start);
        }

        #[test]
        fn no_instant_overflows(start in any::<i64>(), millis in any::<u64>()) {
            let (start, step) = (UnixMillis::from_millis(start), Duration::from_millis(millis));
            prop_assert!(start.plus(step) >= start);
            prop_assert!(start.minus(step) <= start);
            prop_assert!(start.seconds() <= start.millis() / 1000);
        }

        #[test]
        fn an_instant_is_a_plain_number_in_json(millis in any::<i64>()) {
            let instant = UnixMillis::from_millis(millis);
            let json = serde_json::to_string(&instant).unwrap();
            prop_assert_eq!(&json, &millis.to_string());
            prop_assert_eq!(serde_json::from_str::<UnixMillis>(&json).unwrap(), instant);
        }
    }
}
