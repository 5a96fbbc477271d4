//! Durations as people write them: `250ms`, `5s`, `5m`, `2h`, `30d`.

use std::time::Duration;

/// A text that is no duration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a duration; expected a number with a unit, such as 250ms, 5s, 5m, 2h or 30d")]
pub struct BadDuration(String);

/// A list of durations, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durations(pub Vec<Duration>);

/// Reads one duration.
///
/// # Errors
/// [`BadDuration`] if it is none, or longer than can be counted.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.to_owned());
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let (number, unit) = text.split_at_checked(digits).ok_or_else(bad)?;
    let number: u64 = number.parse().map_err(|_| bad())?;
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return Err(bad()),
    };
    let millis = number.checked_mul(millis).ok_or_else(bad)?;
    // Instants are signed milliseconds: what does not fit there cannot be added to one.
    if i64::try_from(millis).is_err() {
        return Err(bad());
    }
    Ok(Duration::from_millis(millis))
}

/// Reads a list such as `0s,5s,5m`.
///
/// # Errors
/// [`BadDuration`] for the first part that is none.
pub fn parse_durations(text: &str) -> Result<Durations, BadDuration> {
    text.split(',')
        .map(parse_duration)
        .collect::<Result<_, _>>()
        .map(Durations)
}

/// Writes a duration the way it is read.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    const UNITS: [(u128, &str); 4] = [
        (24 * 60 * 60 * 1000, "d"),
        (60 * 60 * 1000, "h"),
        (60 * 1000, "m"),
        (1000, "s"),
    ];
    let millis = duration.as_millis();
    UNITS
        .iter()
        .find(|(size, _)| millis >= *size && millis.is_multiple_of(*size))
        .map_or_else(
            || format!("{millis}ms"),
            |(size, unit)| format!("{}{unit}", millis / size),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_written() {
        for (text, millis) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("30d", 2_592_000_000),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(duration, Duration::from_millis(millis));
            assert_eq!(format_duration(duration), text);
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let list = parse_durations("0s, 5s,5m").unwrap();
        assert_eq!(list.0, [0, 5, 300].map(Duration::from_secs));
    }

    #[test]
    fn anything_else_is_refused_with_its_text() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "1.5s",
            "5w",
            "99999999999999999d",
            "5s,",
        ] {
            let error = parse_durations(text).unwrap_err();
            assert!(error.to_string().contains("such as 250ms"), "{text}");
        }
    }
}
