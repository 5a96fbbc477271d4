//! Numbers as a reader sees them, and the plural form that goes with one.
//!
//! Digits, separators and plural rules come from CLDR through ICU4X.

use fixed_decimal::Decimal;
use icu_decimal::DecimalFormatter;
use icu_locale_core::Locale as IcuLocale;
use icu_plurals::{PluralCategory, PluralRules};
use serde_json::Value as Json;

use crate::locale::Locale;
use crate::locale::cldr::{first_covered, language_of};
use crate::localized_duration::probe;

/// The names of CLDR's plural categories.
pub(super) const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// More digits than this are no number that anybody reads.
const MOST_DIGITS: i16 = 60;

/// The exact number that a value holds: one of JSON, or one written as a text.
pub(super) fn read(value: &Json) -> Option<Decimal> {
    let text = match value {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        _ => return None,
    };
    let number = Decimal::try_from_str(&text).ok()?;
    let range = number.absolute.magnitude_range();
    (*range.end() < MOST_DIGITS && *range.start() > -MOST_DIGITS).then_some(number)
}

/// The number with the digits and separators of the first of the languages that CLDR
/// knows.
pub(super) fn written(number: &Decimal, languages: &[Locale]) -> String {
    let locale = first_covered(languages, probe);
    match DecimalFormatter::try_new((&locale).into(), Default::default()) {
        Ok(formatter) => formatter.format(number).to_string(),
        Err(_) => number.to_string(),
    }
}

/// The plural category of the number in the language of the text it stands in.
pub(super) fn category(number: &Decimal, text: Option<&Locale>) -> &'static str {
    let category = |locale: &IcuLocale| {
        let rules = PluralRules::try_new_cardinal(locale.into()).ok()?;
        Some(rules.category_for(number))
    };
    match category(&language_of(text)) {
        Some(PluralCategory::Zero) => "zero",
        Some(PluralCategory::One) => "one",
        Some(PluralCategory::Two) => "two",
        Some(PluralCategory::Few) => "few",
        Some(PluralCategory::Many) => "many",
        Some(PluralCategory::Other) | None => "other",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn locale(text: &str) -> Locale {
        Locale::parse(text).unwrap()
    }

    #[test]
    fn numbers_have_the_separators_and_digits_of_the_locale() {
        for (value, name, expected) in [
            (json!(1_234_567), "en", "1,234,567"),
            (json!(1_234_567), "de", "1.234.567"),
            (json!(1234.5), "de_AT", "1\u{a0}234,5"),
            (json!(1_234_567), "en_IN", "12,34,567"),
            (json!(1_234_567), "fr", "1\u{202f}234\u{202f}567"),
            (json!(-7), "ar_EG", "\u{61c}-٧"),
            (json!("0.50"), "de", "0,50"),
            (json!(1234), "xx", "1,234"),
        ] {
            let number = read(&value).unwrap();
            assert_eq!(
                written(&number, &[locale(name)]),
                expected,
                "{value} {name}"
            );
        }
    }

    #[test]
    fn what_is_no_number_is_not_read() {
        for value in [
            json!(null),
            json!(true),
            json!([1]),
            json!(""),
            json!("1,5"),
            json!("1e30000"),
            json!("1e-30000"),
            json!("NaN"),
        ] {
            assert!(read(&value).is_none(), "{value}");
        }
    }

    #[test]
    fn plural_categories_are_those_of_the_language() {
        for (text, name, expected) in [
            ("1", Some("de"), "one"),
            ("2", Some("de"), "other"),
            ("2", Some("pl"), "few"),
            ("5", Some("pl"), "many"),
            ("1.5", Some("pl"), "other"),
            ("0", Some("ar"), "zero"),
            ("2", Some("ar"), "two"),
            ("0", Some("fr"), "one"),
            ("1", Some("ja"), "other"),
            ("1", None, "one"),
            ("1", Some("xx"), "other"),
        ] {
            let number = read(&json!(text)).unwrap();
            let told = category(&number, name.map(locale).as_ref());
            assert_eq!(told, expected, "{text} {name:?}");
            assert!(CATEGORIES.contains(&told));
        }
    }
}
