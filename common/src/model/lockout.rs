//! `tenant.failedAuthenticationConfiguration`: which action too many wrong passwords bring
//! upon a user, and for how long.

use std::time::Duration;

use diesel::prelude::*;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::action_log::ActionLog;
use super::tenant::Tenant;
use crate::db::AnyConnection;
use crate::db::sql_type::text_enum;
use crate::id::{UserActionId, UserId};
use crate::schema::action_logs;
use crate::unix_millis::UnixMillis;

text_enum! {
    /// What a duration is counted in.
    DurationUnit {
        /// 60 seconds.
        Minutes = "MINUTES",
        /// 60 minutes.
        Hours = "HOURS",
        /// 24 hours.
        Days = "DAYS",
        /// 7 days.
        Weeks = "WEEKS",
        /// Of the calendar, in UTC.
        Months = "MONTHS",
        /// Of the calendar, in UTC.
        Years = "YEARS",
    }
}

/// The configuration as a tenant stores it and the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lockout {
    /// When a lock is lifted before its end.
    pub action_cancel_policy: CancelPolicy,
    /// How long a lock lasts, in units.
    pub action_duration: i32,
    /// The unit.
    pub action_duration_unit: DurationUnit,
    /// Email the user when the lock is set and when it is lifted.
    pub email_user: bool,
    /// How long a wrong password counts, in seconds.
    pub reset_count_in_seconds: i32,
    /// How many of them lock the user.
    pub too_many_attempts: i32,
    /// The definition that is applied; none: nobody is locked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_action_id: Option<UserActionId>,
}

/// `actionCancelPolicy`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelPolicy {
    /// A new password lifts the lock.
    pub on_password_reset: bool,
}

impl Lockout {
    /// The member of a tenant's settings.
    pub const MEMBER: &'static str = "failedAuthenticationConfiguration";

    /// How long a wrong password counts.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.reset_count_in_seconds).unwrap_or(0))
    }

    /// When a lock ends that is set at `now`.
    #[must_use]
    pub fn expiry(&self, now: UnixMillis) -> UnixMillis {
        let count = i64::from(self.action_duration);
        let end = |span: Result<Span, jiff::Error>| {
            let start = Timestamp::from_millisecond(now.millis()).ok()?;
            let end = start.to_zoned(TimeZone::UTC).checked_add(span.ok()?).ok()?;
            Some(UnixMillis::from_millis(end.timestamp().as_millisecond()))
        };
        let span = Span::new();
        let span = match self.action_duration_unit {
            DurationUnit::Minutes => span.try_minutes(count),
            DurationUnit::Hours => span.try_hours(count),
            DurationUnit::Days => span.try_days(count),
            DurationUnit::Weeks => span.try_weeks(count),
            DurationUnit::Months => span.try_months(count),
            DurationUnit::Years => span.try_years(count),
        };
        // Beyond the calendar: for ever.
        end(span).unwrap_or(UnixMillis::NEVER)
    }
}

impl Tenant {
    /// What too many wrong passwords bring upon its users, if that is configured.
    #[must_use]
    pub fn lockout(&self) -> Option<Lockout> {
        let settings = self.settings.0.get(Lockout::MEMBER)?;
        serde_json::from_value(settings.clone()).ok()
    }
}

impl ActionLog {
    /// The lock that the system has set on a user by applying `definition`, if it is still
    /// in force.
    pub fn lock_of(
        connection: &mut AnyConnection,
        user: UserId,
        definition: UserActionId,
        now: UnixMillis,
    ) -> QueryResult<Option<Self>> {
        action_logs::table
            .filter(action_logs::actionee_user_id.eq(user))
            .filter(action_logs::user_action_id.eq(definition))
            .filter(action_logs::actioner_user_id.is_null())
            .filter(action_logs::canceled.eq(false))
            .filter(action_logs::expiry.gt(now))
            .order((action_logs::insert_instant.desc(), action_logs::id.desc()))
            .select(Self::as_select())
            .first(connection)
            .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasting(action_duration: i32, action_duration_unit: DurationUnit) -> Lockout {
        Lockout {
            action_cancel_policy: CancelPolicy {
                on_password_reset: false,
            },
            action_duration,
            action_duration_unit,
            email_user: false,
            reset_count_in_seconds: 60,
            too_many_attempts: 5,
            user_action_id: None,
        }
    }

    #[test]
    fn months_and_years_are_those_of_the_calendar() {
        let end_of_january: Timestamp = "2024-01-31T12:00:00Z".parse().unwrap();
        let now = UnixMillis::from_millis(end_of_january.as_millisecond());
        for (count, unit, expected) in [
            (3, DurationUnit::Minutes, "2024-01-31T12:03:00Z"),
            (3, DurationUnit::Hours, "2024-01-31T15:00:00Z"),
            (2, DurationUnit::Days, "2024-02-02T12:00:00Z"),
            (1, DurationUnit::Weeks, "2024-02-07T12:00:00Z"),
            (1, DurationUnit::Months, "2024-02-29T12:00:00Z"),
            (1, DurationUnit::Years, "2025-01-31T12:00:00Z"),
        ] {
            let expected: Timestamp = expected.parse().unwrap();
            assert_eq!(
                lasting(count, unit).expiry(now).millis(),
                expected.as_millisecond(),
                "{count} {unit}"
            );
        }
        assert!(
            lasting(i32::MAX, DurationUnit::Years)
                .expiry(now)
                .is_never()
        );
    }
}
