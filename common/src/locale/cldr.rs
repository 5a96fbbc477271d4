//! From our locales to the data of CLDR, which ICU4X carries: under which name it knows a locale, what
//! that inherits from, whether there are words for it at all, and which way it is written.
//!
//! What is written with that data is the business of [`crate::localized_duration`] and
//! [`crate::render`].

use icu_locale::fallback::{LocaleFallbackConfig, LocaleFallbacker, LocaleFallbackerBorrowed};
use icu_locale::{
    LanguageIdentifier, Locale as IcuLocale, LocaleCanonicalizer, LocaleDirectionality,
    LocaleExpander, locale,
};
use icu_locale_core::subtags::{Language, Script, language};
use oxilangtag::LanguageTag;

use super::tag::Locale;

/// What a reader gets who prefers no language that CLDR knows.
const FALLBACK: IcuLocale = locale!("en");

const FALLBACKER: LocaleFallbackerBorrowed<'static> = LocaleFallbacker::new();

/// Norwegian, and its two written forms, which its readers all understand.
const NORWEGIAN: [Language; 3] = [language!("no"), language!("nb"), language!("nn")];

/// The locale as CLDR names it: with today's code of a language that older clients, above all
/// Java ones, still send under its former one. `None` for what has no parts (`i-klingon`).
fn icu(locale: &Locale) -> Option<IcuLocale> {
    let text = locale.bcp47();
    let tag = LanguageTag::parse(text.as_str()).ok()?;
    // An extended language may as well stand alone, and in CLDR does: `zh-yue-HK` is `yue-HK`.
    let alone = tag.extended_language().and_then(|_| {
        let (_, alone) = text.split_once('-')?;
        Some(alone)
    });
    let mut locale = IcuLocale::try_from_str(alone.unwrap_or(&text)).ok()?;
    LocaleCanonicalizer::new_extended().canonicalize(&mut locale);
    Some(locale)
}

/// The one name of a locale in [`inheritance`]: two that mean the same have the same.
pub(super) fn form(locale: &Locale) -> Option<String> {
    icu(locale).map(|locale| name(&locale))
}

/// Without the script if the other parts imply it.
fn name(locale: &IcuLocale) -> String {
    let steps = FALLBACKER
        .for_config(LocaleFallbackConfig::default())
        .fallback_for(locale.into());
    steps.get().to_string()
}

/// The locale and those that CLDR has it inherit from, nearest first, each by its one name
/// (UTS 35, Locale Inheritance). None is in another script.
pub(super) fn inheritance(locale: &Locale) -> Vec<String> {
    let Some(locale) = icu(locale) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    inherit(&locale, &mut names);
    if NORWEGIAN.contains(&locale.id.language) {
        for language in NORWEGIAN {
            let mut other = locale.clone();
            other.id.language = language;
            inherit(&other, &mut names);
        }
    }
    names
}

fn inherit(locale: &IcuLocale, names: &mut Vec<String>) {
    let mut steps = FALLBACKER
        .for_config(LocaleFallbackConfig::default())
        .fallback_for(locale.into());
    while !steps.get().is_unknown() {
        let step = steps.get().into_locale();
        names.push(name(&step));
        let said = locale
            .id
            .script
            .filter(|_| step.id.language == locale.id.language);
        if let (Some(script), None) = (step.id.script.or(said), step.id.region) {
            names.push(by_country(step.id.language, script));
        }
        steps.step();
    }
}

/// A script is more often told by a country: whoever writes `zh-TW` means `zh-Hant`.
fn by_country(language: Language, script: Script) -> String {
    let mut id = LanguageIdentifier::from((language, Some(script), None));
    LocaleExpander::new_extended().maximize(&mut id);
    name(&id.into())
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

/// Whether a text in `text` may show a reader of `own` dates and numbers in their own form: it is in
/// their language, and for all of those who write it as they do.
pub(crate) fn includes(text: &Locale, own: &Locale) -> bool {
    let (Some(text_locale), Some(own_locale)) = (icu(text), icu(own)) else {
        return false;
    };
    text_locale.id.language == own_locale.id.language
        && form(text).is_some_and(|form| inheritance(own).contains(&form))
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
