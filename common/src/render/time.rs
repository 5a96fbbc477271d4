//! Instants as a reader sees them.
//!
//! The form is the same for every language (`2026-11-22 06:04`); only the time
//! zone is the reader's. A form by locale would take the place of [`written`].

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How much of an instant is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Precision {
    Day,
    Minute,
}

/// The time zone of that IANA name, or UTC for an absent or unknown one: an email
/// with the wrong hour is better than none.
pub(super) fn zone(name: Option<&str>) -> TimeZone {
    name.and_then(|name| TimeZone::get(name).ok())
        .unwrap_or(TimeZone::UTC)
}

/// Writes an instant, given in milliseconds since 1970. `None` for one that lies
/// outside the calendar: that is how "never" is stored.
pub(super) fn written(millis: i64, precision: Precision, zone: &TimeZone) -> Option<String> {
    let instant = Timestamp::from_millisecond(millis)
        .ok()?
        .to_zoned(zone.clone());
    let form = match precision {
        Precision::Day => "%Y-%m-%d",
        Precision::Minute => "%Y-%m-%d %H:%M",
    };
    Some(instant.strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANT: i64 = 1_795_323_840_000;

    #[test]
    fn instants_are_written_in_the_readers_zone() {
        let told = |name, precision| written(INSTANT, precision, &zone(name)).unwrap();
        assert_eq!(told(None, Precision::Minute), "2026-11-22 05:04");
        assert_eq!(
            told(Some("Europe/Berlin"), Precision::Minute),
            "2026-11-22 06:04"
        );
        assert_eq!(told(Some("Pacific/Honolulu"), Precision::Day), "2026-11-21");
    }

    #[test]
    fn unknown_zones_are_utc() {
        for name in ["", "Mars/Olympus", "../../etc/passwd", "Europe/Berlin\0"] {
            assert_eq!(zone(Some(name)), TimeZone::UTC, "{name}");
        }
    }

    #[test]
    fn never_is_not_written() {
        for millis in [i64::MAX, i64::MIN] {
            assert_eq!(written(millis, Precision::Minute, &TimeZone::UTC), None);
        }
    }
}
