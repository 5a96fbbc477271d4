//! The tag of a language, as the API writes it: `de`, `de_AT`, `zh_Hant_TW`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use oxilangtag::LanguageTag;
use serde::{Deserialize, Serialize};

use crate::db::sql_type::wrapped_sql;

/// Translations of one text, sorted by locale.
pub type LocalizedText = BTreeMap<Locale, String>;

/// No tag that anybody uses is half as long.
const LONGEST: usize = 100;

/// The languages that others are registered as extensions of (`zh_yue`), from the registry of
/// language subtags.
const EXTENDED: [&str; 8] = ["ar", "kok", "lv", "ms", "sgn", "sw", "uz", "zh"];

/// A well-formed language tag (BCP 47), with underscores: `de`, `de_AT`, `zh_Hant_TW`, `es_419`.
///
/// Languages and countries that nobody has registered are accepted: the lists change, and a text
/// in an unknown language harms nobody. Language, script and country have their usual case, and
/// what follows them stays as it was given; two that differ in case alone are the same.
#[derive(Clone, Debug, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(try_from = "String", into = "String")]
pub struct Locale(String);

wrapped_sql!(Locale, Text, String);

/// Why a text is no [`Locale`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no locale, write a language tag such as `de`, `de_AT` or `zh_Hant_TW`")]
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
    /// Reads a tag with hyphens or underscores, in any mix of upper and lower case.
    ///
    /// # Errors
    /// For what is not well-formed by BCP 47 (RFC 5646, 2.1), and for languages of more than three
    /// letters (`german`): the grammar has them, but there are none.
    pub fn parse(text: &str) -> Result<Self, LocaleError> {
        let spelled = || {
            if text.len() > LONGEST {
                return None;
            }
            spelled(&LanguageTag::parse(text.replace('_', "-")).ok()?)
        };
        let spelled = spelled().ok_or_else(|| LocaleError::about(text))?;
        Ok(Self(spelled))
    }

    /// The text, with underscores.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The spelling that HTML's `lang` and most libraries want: `de-AT`.
    #[must_use]
    pub fn bcp47(&self) -> String {
        self.0.replace('_', "-")
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

/// The tag with the usual case of its first subtags.
fn spelled(tag: &LanguageTag<String>) -> Option<String> {
    let language = tag.primary_language();
    // `x-twain` and `i-klingon` have no parts.
    if language.contains('-') || tag.starts_with(['x', 'X']) && tag.get(1..2) == Some("-") {
        return Some(tag.replace('-', "_"));
    }
    let language = language.to_ascii_lowercase();
    let extension = tag.extended_language().map(str::to_ascii_lowercase);
    if language.len() > 3 || extension.is_some() && !EXTENDED.contains(&&*language) {
        return None;
    }
    let rest = [tag.variant(), tag.extension(), tag.private_use()];
    let subtags = [
        Some(language),
        extension,
        tag.script().map(in_title_case),
        tag.region().map(str::to_ascii_uppercase),
    ];
    let rest = rest.into_iter().flatten().map(str::to_owned);
    let subtags: Vec<String> = subtags.into_iter().flatten().chain(rest).collect();
    Some(subtags.join("-").replace('-', "_"))
}

fn in_title_case(script: &str) -> String {
    let mut script = script.to_ascii_lowercase();
    if let Some(first) = script.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    script
}

impl PartialEq for Locale {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Locale {}

impl PartialOrd for Locale {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Locale {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for Locale {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn locale(text: &str) -> Locale {
        Locale::parse(text).unwrap()
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
            ("ES-419", "es_419"),
            ("en_001", "en_001"),
            ("en_840", "en_840"),
            ("zh_hant_tw", "zh_Hant_TW"),
            ("SR-LATN", "sr_Latn"),
            ("zh-yue-hk", "zh_yue_HK"),
            ("de-ch-1996", "de_CH_1996"),
            ("ca_ES_VALENCIA", "ca_ES_VALENCIA"),
            ("ca-es-valencia", "ca_ES_valencia"),
            ("en_US_POSIX", "en_US_POSIX"),
            ("th-th-u-nu-thai", "th_TH_u_nu_thai"),
            ("en-US-x-Twain", "en_US_x_Twain"),
            ("x-twain", "x_twain"),
            ("i-klingon", "i_klingon"),
            ("en-GB-oed", "en_GB_oed"),
            ("und", "und"),
        ] {
            assert_eq!(locale(given).as_str(), canonical);
        }
    }

    #[test]
    fn case_makes_no_difference() {
        let (one, other) = (locale("ca_ES_VALENCIA"), locale("ca-es-valencia"));
        assert_eq!(one, other);
        let texts: LocalizedText = [(one, "a".to_owned())].into_iter().collect();
        assert!(texts.contains_key(&other));
        assert_ne!(locale("de_AT"), locale("de_CH"));
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
            "en__US",
            "en_US_x",
            "german",
            "zh_TW_Hant",
            "zh_TW_#Hant",
            "de_DE_DE",
            "en_US_u",
            "x",
            "x_",
            "en-\0",
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
    fn libraries_want_hyphens() {
        assert_eq!(locale("pt_BR").bcp47(), "pt-BR");
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
            let country = country.map_or_else(String::new, |text| format!("_{}", text.to_uppercase()));
            prop_assert_eq!(parsed.as_str(), format!("{}{country}", language.to_lowercase()));
        }
    }
}
