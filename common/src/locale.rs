//! Locales as the API writes them (`de`, `de_AT`), and the one rule that picks
//! a translation for a reader.
//!
//! Formatting numbers, durations or dates for a locale happens elsewhere
//! (`duration`, `render`); this module only names languages.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};

use crate::db::sql_type::wrapped_sql;

/// Translations of one text, sorted by locale.
pub type LocalizedText = BTreeMap<Locale, String>;

/// A language with an optional country, in its canonical spelling `de_AT`.
///
/// Well-formed languages and countries that nobody has registered are accepted:
/// the lists change, and a text in an unknown language harms nobody.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    AsExpression,
    FromSqlRow,
)]
#[diesel(sql_type = Text)]
#[serde(try_from = "String", into = "String")]
pub struct Locale(String);

wrapped_sql!(Locale, Text, String);

/// Why a text is no [`Locale`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` is no locale, write a language such as `de`, or language and country such as `de_AT`"
)]
pub struct LocaleError {
    /// The start of the offending text.
    given: String,
}

impl LocaleError {
    /// How much of the offending text is repeated to its sender.
    const EXCERPT_CHARS: usize = 40;

    fn about(text: &str) -> Self {
        Self {
            given: text.chars().take(Self::EXCERPT_CHARS).collect(),
        }
    }
}

impl Locale {
    /// Reads `de`, `de_AT` or `de-AT` in any mix of upper and lower case.
    ///
    /// # Errors
    /// Anything but a language of two or three ASCII letters, optionally followed
    /// by a country of two.
    pub fn parse(text: &str) -> Result<Self, LocaleError> {
        let (language, country) = match text.split_once(['_', '-']) {
            None => (text, None),
            Some((language, country)) => (language, Some(country)),
        };
        if !is_letters(language, 2..=3) || !country.is_none_or(|text| is_letters(text, 2..=2)) {
            return Err(LocaleError::about(text));
        }
        let language = language.to_ascii_lowercase();
        Ok(Self(match country {
            None => language,
            Some(country) => format!("{language}_{}", country.to_ascii_uppercase()),
        }))
    }

    /// The canonical text, with an underscore.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language code: `de` of `de_AT`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.0
            .split_once('_')
            .map_or(&*self.0, |(language, _)| language)
    }

    /// The country code, if there is one: `AT` of `de_AT`.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.0.split_once('_').map(|(_, country)| country)
    }

    /// The same language without a country.
    #[must_use]
    pub fn language_only(&self) -> Self {
        Self(self.language().to_owned())
    }

    /// The spelling that HTML's `lang` and most libraries want: `de-AT`.
    #[must_use]
    pub fn bcp47(&self) -> String {
        self.0.replace('_', "-")
    }
}

fn is_letters(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

impl fmt::Display for Locale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Locale {
    type Err = LocaleError;

    fn from_str(text: &str) -> Result<Self, LocaleError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Locale {
    type Error = LocaleError;

    fn try_from(text: String) -> Result<Self, LocaleError> {
        Self::parse(&text)
    }
}

impl From<Locale> for String {
    fn from(locale: Locale) -> Self {
        locale.0
    }
}

/// Picks the translation for a reader who prefers `preferred`, best first.
///
/// Each preference is tried as it stands and then as its language alone, before
/// the next one is looked at. A preference without a country never matches a
/// translation with one: `fr` says nothing about `fr_CA`. `None` means that the
/// untranslated default is the right text.
#[must_use]
pub fn choose<'a, T>(
    preferred: &[Locale],
    texts: &'a BTreeMap<Locale, T>,
) -> Option<(&'a Locale, &'a T)> {
    preferred.iter().find_map(|locale| {
        texts
            .get_key_value(locale)
            .or_else(|| texts.get_key_value(&locale.language_only()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn locale(text: &str) -> Locale {
        Locale::parse(text).unwrap()
    }

    fn locales(texts: &[&str]) -> Vec<Locale> {
        texts.iter().map(|text| locale(text)).collect()
    }

    #[test]
    fn spellings_become_canonical() {
        for (given, canonical) in [
            ("en", "en"),
            ("EN", "en"),
            ("EN_us", "en_US"),
            ("en-US", "en_US"),
            ("zh_tw", "zh_TW"),
            ("eo", "eo"),
            ("xx", "xx"),
            ("gsw_CH", "gsw_CH"),
        ] {
            assert_eq!(locale(given).to_string(), canonical);
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_offending_text() {
        for given in [
            "",
            "e",
            "engl",
            "en_",
            "_US",
            "en_USA",
            "en_840",
            "en__US",
            "en_US_x",
            "zh_Hant_TW",
            "e1",
            " en",
            "en ",
            "dé",
            "en.US",
            "C",
        ] {
            let error = Locale::parse(given).unwrap_err();
            assert!(error.to_string().contains(given), "{error}");
        }
    }

    #[test]
    fn an_error_repeats_only_the_start_of_a_long_text() {
        let error = Locale::parse(&"ä".repeat(100_000)).unwrap_err();
        assert!(error.to_string().len() < 250);
    }

    #[test]
    fn parts_and_spellings() {
        assert_eq!(locale("pt_BR").language(), "pt");
        assert_eq!(locale("pt_BR").country(), Some("BR"));
        assert_eq!(locale("pt").country(), None);
        assert_eq!(locale("pt_BR").language_only(), locale("pt"));
        assert_eq!(locale("pt_BR").bcp47(), "pt-BR");
    }

    #[test]
    fn the_choice_follows_the_readers_order() {
        let table: &[(&[&str], &[&str], Option<&str>)] = &[
            (&[], &["de"], None),
            (&["de"], &[], None),
            (&["de"], &["de"], Some("de")),
            (&["fr_CA"], &["fr", "fr_CA"], Some("fr_CA")),
            (&["fr_CA"], &["fr"], Some("fr")),
            (&["fr"], &["fr_CA"], None),
            (&["fr_CA"], &["fr_FR"], None),
            (&["fr_CA", "de"], &["de", "fr"], Some("fr")),
            (&["it", "de"], &["de", "fr"], Some("de")),
            (&["de_CH", "fr"], &["de", "fr"], Some("de")),
            (&["eo", "xx"], &["de", "en"], None),
        ];
        for (preferred, keys, expected) in table {
            let texts: LocalizedText = keys
                .iter()
                .map(|key| (locale(key), format!("in {key}")))
                .collect();
            let chosen = choose(&locales(preferred), &texts);
            assert_eq!(
                chosen.map(|(locale, _)| locale.as_str()),
                *expected,
                "{preferred:?} of {keys:?}"
            );
            assert!(chosen.is_none_or(|(locale, text)| *text == format!("in {locale}")));
        }
    }

    #[test]
    fn json_maps_are_keyed_by_locale_and_sorted() {
        let texts: LocalizedText =
            serde_json::from_str(r#"{"pt-br":"c","deu":"b","de_AT":"a2","de":"a1"}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&texts).unwrap(),
            r#"{"de":"a1","de_AT":"a2","deu":"b","pt_BR":"c"}"#
        );
        assert!(serde_json::from_str::<LocalizedText>(r#"{"german":"a"}"#).is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_idempotent(text in "\\PC{0,12}") {
            if let Ok(parsed) = Locale::parse(&text) {
                prop_assert_eq!(Locale::parse(parsed.as_str()), Ok(parsed));
            }
        }

        #[test]
        fn every_well_formed_locale_is_accepted(
            language in "[A-Za-z]{2,3}",
            separator in "[_-]",
            country in proptest::option::of("[A-Za-z]{2}"),
        ) {
            let text = country.as_ref().map_or_else(
                || language.clone(),
                |country| format!("{language}{separator}{country}"),
            );
            let parsed = Locale::parse(&text).unwrap();
            prop_assert_eq!(parsed.language(), language.to_lowercase());
            prop_assert_eq!(parsed.country().map(str::to_owned), country.map(|text| text.to_uppercase()));
        }
    }
}
