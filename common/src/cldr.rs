//! From our locales to the data of CLDR, which ICU4X carries: under which code it knows
//! a language, whether it knows it at all, and which way it is written.
//!
//! What is written with that data is the business of [`crate::localized_duration`] and
//! [`crate::render`].

use icu_locale::{Locale as IcuLocale, LocaleDirectionality, locale};
use icu_locale_core::subtags::{Language, language};

use crate::locale::Locale;

/// What a reader gets who prefers no language that CLDR knows.
const FALLBACK: IcuLocale = locale!("en");

/// The locale as CLDR names it.
fn icu(locale: &Locale) -> Option<IcuLocale> {
    let mut locale = IcuLocale::try_from_str(&locale.bcp47()).ok()?;
    if let Some(modern) = modern_code(locale.id.language.as_str()) {
        locale.id.language = modern;
    }
    Some(locale)
}

/// The code that CLDR uses for a language that older clients, above all Java ones,
/// still send under its former code.
fn modern_code(code: &str) -> Option<Language> {
    match code {
        "in" => Some(language!("id")),
        "iw" => Some(language!("he")),
        "ji" => Some(language!("yi")),
        "tl" => Some(language!("fil")),
        _ => None,
    }
}

/// The first of `preferred` for which `probe` writes something of its own, else English.
///
/// For a language without data ICU4X answers with the symbols of the root (`2 d`, `M11`)
/// and does not say so. The digits may still be the language's own.
pub(crate) fn first_covered(
    preferred: &[Locale],
    probe: impl Fn(&IcuLocale) -> Option<String>,
) -> IcuLocale {
    let symbols = probe(&IcuLocale::UNKNOWN).map(|text| letters(&text));
    let covered = |locale: &IcuLocale| {
        let text = probe(locale).map(|text| letters(&text));
        text.is_some() && text != symbols
    };
    preferred
        .iter()
        .filter_map(icu)
        .find(covered)
        .unwrap_or(FALLBACK)
}

/// The language of a text, as far as its plural forms go. Nobody says in which language
/// a text without a locale is; English is the best guess, and its forms are those of
/// most of its neighbours.
pub(crate) fn language_of(text: Option<&Locale>) -> IcuLocale {
    text.and_then(icu).unwrap_or(FALLBACK)
}

/// Whether the locale is written from right to left by most of its writers.
pub(crate) fn is_right_to_left(locale: &Locale) -> bool {
    icu(locale)
        .is_some_and(|locale| LocaleDirectionality::new_extended().is_right_to_left(&locale.id))
}

fn letters(text: &str) -> String {
    text.chars().filter(|char| char.is_alphabetic()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_is_that_of_the_script() {
        for (text, right_to_left) in [
            ("ar", true),
            ("ar_EG", true),
            ("he", true),
            ("iw_IL", true),
            ("fa", true),
            ("ur_PK", true),
            ("ckb", true),
            ("pa_PK", true),
            ("pa_IN", false),
            ("de", false),
            ("ja", false),
            ("xx", false),
        ] {
            let locale = Locale::parse(text).unwrap();
            assert_eq!(is_right_to_left(&locale), right_to_left, "{text}");
        }
    }
}
