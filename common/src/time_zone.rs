//! Time zones by name: those of the IANA database, and fixed offsets as Java writes them.

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// The time zone of that name: `Europe/Berlin`, `UTC+2`, `GMT-03:30`, `+05:30`, `Z`.
///
/// Only what the IANA database itself has is a zone. That of a machine has more, such as
/// `localtime`, which is another zone on each.
#[must_use]
pub fn time_zone(name: &str) -> Option<TimeZone> {
    if let Some(offset) = fixed_offset(name) {
        return Some(offset.to_time_zone());
    }
    TimeZoneDatabase::bundled().get(name).ok()?;
    // That of the machine may be newer.
    TimeZone::get(name).ok()
}

/// An offset as Java's `ZoneId` writes it: a sign, and hours, minutes and seconds up to 18 hours.
fn fixed_offset(name: &str) -> Option<Offset> {
    if name == "Z" {
        return Some(Offset::UTC);
    }
    let prefix = ["UTC", "GMT", "UT"];
    let text = prefix
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let seconds = seconds(digits).filter(|seconds| *seconds <= 18 * 3600)?;
    Offset::from_seconds(sign * seconds).ok()
}

/// `h`, `hh`, `hhmm` or `hhmmss`, or the same with colons.
fn seconds(digits: &str) -> Option<i32> {
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else if digits.len() <= 2 {
        vec![digits]
    } else {
        let (hours, rest) = digits.split_at_checked(2)?;
        match rest.split_at_checked(2)? {
            (minutes, "") => vec![hours, minutes],
            (minutes, seconds) => vec![hours, minutes, seconds],
        }
    };
    let number = |text: &str, least: usize| {
        let well_formed =
            (least..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| well_formed)
    };
    let sixtieth = |text: &str| number(text, 2).filter(|number| *number < 60);
    let (hours, rest) = parts.split_first()?;
    let (minutes, seconds) = match rest {
        [] => (0, 0),
        [minutes] => (sixtieth(minutes)?, 0),
        [minutes, seconds] => (sixtieth(minutes)?, sixtieth(seconds)?),
        _ => return None,
    };
    Some(number(hours, 1)? * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_offsets_are_zones() {
        for (name, seconds) in [
            ("UTC+2", 7_200),
            ("UTC+02", 7_200),
            ("GMT-03:30", -12_600),
            ("UT+5:45", 20_700),
            ("+0530", 19_800),
            ("-01:02:03", -3_723),
            ("+010203", 3_723),
            ("UTC-18", -64_800),
            ("Z", 0),
            ("UTC", 0),
            ("GMT", 0),
            ("Etc/GMT+2", -7_200),
        ] {
            let zone = time_zone(name).unwrap_or_else(|| panic!("{name}"));
            let offset = zone.to_offset(jiff::Timestamp::UNIX_EPOCH);
            assert_eq!(offset.seconds(), seconds, "{name}");
        }
        for name in [
            "Europe/Berlin",
            "europe/berlin",
            "America/Argentina/Buenos_Aires",
        ] {
            assert!(time_zone(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_means_something_else_on_each_machine_is_no_zone() {
        for name in [
            "",
            "localtime",
            "posixrules",
            "right/Europe/Berlin",
            "posix/Europe/Berlin",
            "/etc/localtime",
            "../../etc/localtime",
            "Mars/Olympus",
            "Europe/Berlin\0",
            "UTC+",
            "UTC+19",
            "UTC+18:01",
            "UTC+2:3",
            "UTC+2:60",
            "UTC+1:2:3:4",
            "UTC 2",
            "UTC+-2",
            "+123",
            "+12345",
            "+1234567",
            "UTC+é",
            "z",
        ] {
            assert!(time_zone(name).is_none(), "{name}");
        }
    }
}
