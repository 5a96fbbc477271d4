//! Instants as a reader sees them: in the forms, the calendar and the digits of their
//! locale, and in their time zone.
//!
//! The forms come from CLDR through ICU4X, the time zones from jiff.

use icu_calendar::Iso;
use icu_datetime::DateTimeFormatter;
use icu_datetime::fieldsets::YMD;
use icu_datetime::input::{Date, DateTime, Time};
use icu_datetime::options::Length;
use icu_locale_core::Locale as IcuLocale;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use crate::locale::Locale;
use crate::locale::cldr::first_covered;
use crate::time_zone::time_zone;

/// How much of an instant is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Precision {
    Day,
    Minute,
}

/// How many words it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `22.11.26`
    Short,
    /// `22.11.2026`
    Medium,
    /// `22. November 2026`
    Long,
}

impl Style {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "short" => Some(Self::Short),
            "medium" => Some(Self::Medium),
            "long" => Some(Self::Long),
            _ => None,
        }
    }

    fn fields(self) -> YMD {
        YMD::for_length(match self {
            Self::Short => Length::Short,
            Self::Medium => Length::Medium,
            Self::Long => Length::Long,
        })
    }
}

/// Where the reader's clocks are. Those of a reader whose zone is not known show UTC,
/// and say so.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    zone: TimeZone,
    known: bool,
}

impl Zone {
    /// The time zone of that name, or UTC for an absent or unknown one: an email with the hour
    /// of another place is better than none.
    pub(super) fn new(name: Option<&str>) -> Self {
        let zone = name.and_then(time_zone);
        Self {
            known: zone.is_some(),
            zone: zone.unwrap_or(TimeZone::UTC),
        }
    }

    pub(super) fn time_zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// Writes an instant, given in milliseconds since 1970, in the first of the languages
/// that CLDR has words for. `None` for one that lies outside the calendar: that is how
/// "never" is stored.
pub(super) fn written(
    millis: i64,
    precision: Precision,
    style: Style,
    zone: &Zone,
    languages: &[Locale],
) -> Option<String> {
    let there = Timestamp::from_millisecond(millis)
        .ok()?
        .to_zoned(zone.zone.clone())
        .datetime();
    let input = input(there)?;
    let locale = first_covered(languages, |locale| date(locale, Style::Long, &input));
    let text = match precision {
        Precision::Day => date(&locale, style, &input),
        Precision::Minute => minute(&locale, style, &input).map(|text| match zone.known {
            true => text,
            false => format!("{text} UTC"),
        }),
    };
    // No data at all cannot be; the plain form would still be understood.
    text.or_else(|| Some(there.strftime("%Y-%m-%d %H:%M").to_string()))
}

fn date(locale: &IcuLocale, style: Style, input: &DateTime<Iso>) -> Option<String> {
    let formatter = DateTimeFormatter::try_new(locale.into(), style.fields()).ok()?;
    Some(formatter.format(&input.date).to_string())
}

fn minute(locale: &IcuLocale, style: Style, input: &DateTime<Iso>) -> Option<String> {
    let fields = style.fields().with_time_hm();
    let formatter = DateTimeFormatter::try_new(locale.into(), fields).ok()?;
    Some(formatter.format(input).to_string())
}

/// The same moment of the reader's calendar day, as ICU4X takes it.
fn input(there: civil::DateTime) -> Option<DateTime<Iso>> {
    let part = |number: i8| u8::try_from(number).ok();
    Some(DateTime {
        date: Date::try_new_iso(
            there.year().into(),
            part(there.month())?,
            part(there.day())?,
        )
        .ok()?,
        time: Time::try_new(
            part(there.hour())?,
            part(there.minute())?,
            part(there.second())?,
            0,
        )
        .ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANT: i64 = 1_795_323_840_000;

    fn told(languages: &[&str], zone: Option<&str>, precision: Precision, style: Style) -> String {
        let languages: Vec<Locale> = languages
            .iter()
            .map(|text| Locale::parse(text).unwrap())
            .collect();
        written(INSTANT, precision, style, &Zone::new(zone), &languages).unwrap()
    }

    #[test]
    fn dates_take_the_form_of_the_readers_locale() {
        for (locale, day, minute) in [
            (
                "en",
                "November 22, 2026",
                "November 22, 2026 at 6:04\u{202f}AM",
            ),
            ("en_GB", "22 November 2026", "22 November 2026 at 06:04"),
            ("de", "22. November 2026", "22. November 2026 um 06:04"),
            ("fr_CA", "22 novembre 2026", "22 novembre 2026 à 06 h 04"),
            (
                "pt_BR",
                "22 de novembro de 2026",
                "22 de novembro de 2026 às 06:04",
            ),
            ("ja", "2026年11月22日", "2026年11月22日 6:04"),
            ("zh_TW", "2026年11月22日", "2026年11月22日 清晨6:04"),
            ("ar", "22 نوفمبر 2026", "22 نوفمبر 2026 في 6:04 ص"),
            ("ar_EG", "٢٢ نوفمبر ٢٠٢٦", "٢٢ نوفمبر ٢٠٢٦ في ٦:٠٤ ص"),
            ("he", "22 בנובמבר 2026", "22 בנובמבר 2026 בשעה 6:04"),
            ("fa", "۱ آذر ۱۴۰۵", "۱ آذر ۱۴۰۵ ساعت ۶:۰۴"),
            (
                "th",
                "22 พฤศจ\u{e34}กายน 2569",
                "22 พฤศจ\u{e34}กายน 2569 เวลา 06:04",
            ),
            ("pl", "22 listopada 2026", "22 listopada 2026 06:04"),
            ("in_ID", "22 November 2026", "22 November 2026 pukul 06.04"),
            (
                "xx",
                "November 22, 2026",
                "November 22, 2026 at 6:04\u{202f}AM",
            ),
        ] {
            let told = |precision| told(&[locale], Some("Europe/Berlin"), precision, Style::Long);
            assert_eq!(told(Precision::Day), day, "{locale}");
            assert_eq!(told(Precision::Minute), minute, "{locale}");
        }
    }

    #[test]
    fn a_style_says_how_much_is_spelled_out() {
        for (style, expected) in [
            (Style::Short, "22.11.26"),
            (Style::Medium, "22.11.2026"),
            (Style::Long, "22. November 2026"),
        ] {
            assert_eq!(told(&["de"], None, Precision::Day, style), expected);
        }
    }

    #[test]
    fn instants_are_written_in_the_readers_zone() {
        let day = |zone| told(&["en"], zone, Precision::Day, Style::Long);
        assert_eq!(day(Some("Europe/Berlin")), "November 22, 2026");
        assert_eq!(day(Some("Pacific/Honolulu")), "November 21, 2026");
    }

    #[test]
    fn readers_whose_zone_is_not_known_are_told_that_it_is_utc() {
        let expected = told(&["de"], Some("UTC"), Precision::Minute, Style::Long) + " UTC";
        for name in [
            None,
            Some(""),
            Some("Mars/Olympus"),
            Some("../../etc/passwd"),
            Some("Europe/Berlin\0"),
        ] {
            let minute = told(&["de"], name, Precision::Minute, Style::Long);
            assert_eq!(minute, expected, "{name:?}");
        }
    }

    #[test]
    fn the_first_language_with_data_is_taken_and_english_if_there_is_none() {
        let day = |languages| told(languages, None, Precision::Day, Style::Long);
        assert_eq!(day(&["xx", "de", "fr"]), "22. November 2026");
        for languages in [&[][..], &["xx"], &["zzz_ZZ"], &["und"]] {
            assert_eq!(day(languages), "November 22, 2026", "{languages:?}");
        }
    }

    #[test]
    fn never_is_not_written() {
        for millis in [i64::MAX, i64::MIN] {
            let zone = Zone::new(None);
            assert_eq!(
                written(millis, Precision::Minute, Style::Long, &zone, &[]),
                None
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_locale_and_no_instant_ever_fails(
            millis in -8_000_000_000_000_i64..=250_000_000_000_000,
            text in "[a-z]{2,3}(_[A-Z]{2})?",
        ) {
            let zone = Zone::new(Some("Europe/Berlin"));
            let languages = [Locale::parse(&text).unwrap()];
            let text = written(millis, Precision::Minute, Style::Medium, &zone, &languages);
            proptest::prop_assert!(!text.unwrap().is_empty());
        }
    }
}
