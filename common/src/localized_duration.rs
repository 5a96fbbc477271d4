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

use crate::cldr::first_covered;
use crate::locale::Locale;

const MILLIS_PER_SECOND: i64 = 1_000;
const MILLIS_PER_MINUTE: i64 = 60 * MILLIS_PER_SECOND;
const MILLIS_PER_HOUR: i64 = 60 * MILLIS_PER_MINUTE;
const MILLIS_PER_DAY: i64 = 24 * MILLIS_PER_HOUR;

/// The units a duration is told in.
///
/// Days are the largest. A week would turn 13 days into "1 week" once truncated,
/// and months and years have no fixed length, so 400 days stay 400 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
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
        }
    }

    fn in_plain_english(self, count: i64) -> String {
        let name = match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {name}{plural}")
    }
}

/// Says how long `millis` are, as a count of the largest whole unit: 15.6 seconds
/// are `15 seconds`, two and a half days `2 days`. Zero and less are `0 seconds`.
///
/// The language is the first of `preferred` that CLDR has words for, else English.
#[must_use]
pub fn localized_duration(millis: i64, preferred: &[Locale]) -> String {
    let (unit, count) = Unit::largest_in(millis);
    let locale = first_covered(preferred, |locale| written(locale, unit, count));
    written(&locale, unit, count).unwrap_or_else(|| unit.in_plain_english(count))
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
        localized_duration(millis, &preferred)
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
