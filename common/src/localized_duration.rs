//! How long something lasts, in words of the reader's language.
//!
//! The words, plural forms and digits come from CLDR through ICU4X. Its unit
//! formatter still lives in ICU4X's experimental crate, which is why no other
//! module uses that crate.

use fixed_decimal::Decimal;
use icu_experimental::dimension::units::categorized_formatter::CategorizedFormatter;
use icu_experimental::dimension::units::options::{UnitsFormatterOptions, Width};
use icu_experimental::measure::category::{CategorizedMeasureUnit, Duration};
use icu_locale_core::Locale as IcuLocale;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::locale::Locale;
use crate::locale::cldr::first_covered;

const MILLIS_PER_SECOND: i64 = 1_000;
const MILLIS_PER_MINUTE: i64 = 60 * MILLIS_PER_SECOND;
const MILLIS_PER_HOUR: i64 = 60 * MILLIS_PER_MINUTE;
const MILLIS_PER_DAY: i64 = 24 * MILLIS_PER_HOUR;

/// The units a duration is told in.
///
/// A week would turn 13 days into "1 week" once truncated. Months and years have no fixed length: they
/// are told between two days of the calendar that lie so far apart, and 400 days stay 400 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Year,
}

impl Unit {
    /// The largest unit that fits at least once, and how often it fits.
    fn largest_in(millis: i64) -> (Self, i64) {
        let units = [
            (Self::Day, MILLIS_PER_DAY),
            (Self::Hour, MILLIS_PER_HOUR),
            (Self::Minute, MILLIS_PER_MINUTE),
        ];
        units
            .into_iter()
            .find(|(_, length)| millis >= *length)
            .map_or_else(
                || (Self::Second, millis.max(0) / MILLIS_PER_SECOND),
                |(unit, length)| (unit, millis / length),
            )
    }

    fn measure(self) -> CategorizedMeasureUnit<Duration> {
        match self {
            Self::Second => Duration::second(),
            Self::Minute => Duration::minute(),
            Self::Hour => Duration::hour(),
            Self::Day => Duration::day(),
            Self::Month => Duration::month(),
            Self::Year => Duration::year(),
        }
    }

    fn in_plain_english(self, count: i64) -> String {
        let name = match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {name}{plural}")
    }
}

/// How long something lasts, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// So long.
    Length(i64),
    /// From one instant to another, both since 1970.
    Between(i64, i64),
}

impl Span {
    /// Says how long it is, as a count of the largest whole unit: 15.6 seconds are `15 seconds`, two
    /// and a half days `2 days`. Zero and less are `0 seconds`. From one instant to the same time of
    /// day a month later it is `1 month`, by the calendar of `zone`.
    ///
    /// The language is the first of `preferred` that CLDR has words for, else English.
    #[must_use]
    pub fn written(self, zone: &TimeZone, preferred: &[Locale]) -> String {
        let (unit, count) = match self {
            Self::Length(millis) => Unit::largest_in(millis),
            Self::Between(from, to) => {
                months(from, to, zone).unwrap_or_else(|| Unit::largest_in(to.saturating_sub(from)))
            }
        };
        let locale = first_covered(preferred, |locale| written(locale, unit, count));
        written(&locale, unit, count).unwrap_or_else(|| unit.in_plain_english(count))
    }
}

/// The months or years from one instant to another if they are whole ones. Whoever asks for a month
/// from now has a clock of their own, and the request takes a moment: that is how far it may be off.
fn months(from: i64, to: i64, zone: &TimeZone) -> Option<(Unit, i64)> {
    const OFF: u64 = MILLIS_PER_MINUTE.unsigned_abs();
    const MILLIS_PER_MONTH: i64 = 2_629_746_000;
    let start = Timestamp::from_millisecond(from)
        .ok()?
        .to_zoned(zone.clone());
    let about = to.saturating_sub(from) / MILLIS_PER_MONTH;
    let count = (about..=about.saturating_add(1)).find(|count| {
        let end = jiff::Span::new()
            .try_months(*count)
            .and_then(|months| start.checked_add(months));
        *count > 0 && end.is_ok_and(|end| end.timestamp().as_millisecond().abs_diff(to) < OFF)
    })?;
    Some(match count % 12 {
        0 => (Unit::Year, count / 12),
        _ => (Unit::Month, count),
    })
}

/// Something of which every language with data writes its own words.
pub(crate) fn probe(locale: &IcuLocale) -> Option<String> {
    written(locale, Unit::Day, 2)
}

fn written(locale: &IcuLocale, unit: Unit, count: i64) -> Option<String> {
    let formatter = CategorizedFormatter::try_new_core(
        locale.into(),
        unit.measure(),
        UnitsFormatterOptions::from(Width::Long),
    )
    .ok()?;
    Some(
        formatter
            .format_fixed_decimal(&Decimal::from(count))
            .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = MILLIS_PER_SECOND;
    const DAY: i64 = MILLIS_PER_DAY;

    fn told(millis: i64, preferred: &[&str]) -> String {
        let preferred: Vec<Locale> = preferred
            .iter()
            .map(|text| Locale::parse(text).unwrap())
            .collect();
        Span::Length(millis).written(&TimeZone::UTC, &preferred)
    }

    #[test]
    fn the_largest_whole_unit_is_told_truncated() {
        for (millis, expected) in [
            (15_600, "15 seconds"),
            (1_999, "1 second"),
            (59_999, "59 seconds"),
            (60_000, "1 minute"),
            (3_599_999, "59 minutes"),
            (3_600_000, "1 hour"),
            (DAY - 1, "23 hours"),
            (DAY, "1 day"),
            (5 * DAY / 2, "2 days"),
            (400 * DAY, "400 days"),
            (3_650 * DAY, "3,650 days"),
        ] {
            assert_eq!(told(millis, &["en"]), expected);
        }
    }

    #[test]
    fn zero_less_than_a_second_and_the_past_are_zero_seconds() {
        for millis in [0, 1, 999, -1, -DAY, i64::MIN] {
            assert_eq!(told(millis, &["en"]), "0 seconds");
        }
    }

    #[test]
    fn words_plurals_and_digits_are_the_languages_own() {
        for (millis, locale, expected) in [
            (2 * DAY, "de", "2 Tage"),
            (DAY, "de_AT", "1 Tag"),
            (1_200 * DAY, "de", "1.200 Tage"),
            (2 * DAY, "fr_CA", "2\u{a0}jours"),
            (2 * DAY, "pt_BR", "2 dias"),
            (SECOND, "pl", "1 sekunda"),
            (3 * SECOND, "pl", "3 sekundy"),
            (5 * SECOND, "pl", "5 sekund"),
            (22 * SECOND, "pl", "22 sekundy"),
            (2 * DAY, "sr", "2 дана"),
            (5 * DAY, "sr", "5 дана"),
            (2 * DAY, "ja", "2 日"),
            (2 * DAY, "zh_TW", "2 天"),
            (2 * DAY, "ar", "يومان"),
            (2 * DAY, "eo", "2 tagoj"),
            (2 * DAY, "in_ID", "2 hari"),
            (2 * DAY, "iw", "יומיים"),
        ] {
            assert_eq!(told(millis, &[locale]), expected, "{locale}");
        }
    }

    #[test]
    fn whole_months_of_the_calendar_are_told_as_such() {
        let berlin = crate::time_zone::time_zone("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        for (from, to, expected) in [
            ("2026-12-01T12:00:00Z", "2027-01-01T12:00:00Z", "1 month"),
            (
                "2026-12-01T12:00:00Z",
                "2027-01-01T11:59:59.950Z",
                "1 month",
            ),
            ("2026-12-01T12:00:00Z", "2027-01-01T11:58:00Z", "30 days"),
            ("2026-12-01T12:00:00Z", "2026-12-31T12:00:00Z", "30 days"),
            ("2026-12-01T12:00:00Z", "2027-12-01T12:00:00Z", "1 year"),
            ("2026-12-01T12:00:00Z", "2028-06-01T11:00:00Z", "18 months"),
            ("2024-02-29T12:00:00Z", "2028-02-29T12:00:00Z", "4 years"),
            // The shortest month, and a night when clocks are changed.
            ("2027-01-31T12:00:00Z", "2027-02-28T12:00:00Z", "1 month"),
            ("2027-03-01T12:00:00Z", "2027-04-01T11:00:00Z", "1 month"),
            ("2027-03-01T12:00:00Z", "2027-04-01T12:00:00Z", "31 days"),
            ("2026-12-01T12:00:00Z", "2026-12-01T12:00:30Z", "30 seconds"),
            ("2026-12-01T12:00:00Z", "2026-11-01T12:00:00Z", "0 seconds"),
        ] {
            let span = Span::Between(at(from), at(to));
            assert_eq!(span.written(&berlin, &[]), expected, "{from} to {to}");
        }
        for extreme in [i64::MIN, -1, 0, 1, i64::MAX] {
            let span = Span::Between(extreme, i64::MAX);
            assert!(!span.written(&berlin, &[]).is_empty());
        }
    }

    #[test]
    fn the_first_language_with_data_is_taken() {
        assert_eq!(told(2 * DAY, &["xx", "de", "fr"]), "2 Tage");
        assert_eq!(told(2 * DAY, &["xx_DE"]), "2 days");
    }

    #[test]
    fn english_is_the_fallback() {
        assert_eq!(told(2 * DAY, &[]), "2 days");
        for unknown in ["xx", "xx_YY", "zzz", "und"] {
            assert_eq!(told(2 * DAY, &[unknown]), "2 days", "{unknown}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_locale_and_no_length_ever_fails(
            millis in any::<i64>(),
            text in "[a-z]{2,3}(_[A-Z]{2})?",
        ) {
            prop_assert!(!told(millis, &[&text]).is_empty());
        }
    }
}
