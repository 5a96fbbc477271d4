//! The one rule that picks a translation for a reader.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::cldr::{form, inheritance};
use super::tag::Locale;

/// Picks the translation for a reader who prefers `preferred`, best first.
///
/// For each preference in turn: the translation of exactly that locale; then one of the same locale
/// under another name (`iw` is `he`, `zh_Hant_HK` is `zh_HK`); then those that CLDR has it inherit
/// from, nearest first: `es_MX` from `es_419` and that from `es`, `zh_HK` from `zh_Hant` and not from
/// `zh`, which is another script. Nothing is inherited upwards: `fr` says nothing about `fr_CA`.
/// `None` means that the untranslated default is the right text.
#[must_use]
pub fn choose<'a, T>(
    preferred: &[Locale],
    texts: &'a BTreeMap<Locale, T>,
) -> Option<(&'a Locale, &'a T)> {
    if texts.is_empty() {
        return None;
    }
    // Most preferences are there as they stand.
    let mut forms = None;
    preferred.iter().find_map(|locale| {
        texts.get_key_value(locale).or_else(|| {
            let forms = forms.get_or_insert_with(|| by_form(texts));
            inheritance(locale)
                .iter()
                .find_map(|form| forms.get(form).copied())
        })
    })
}

/// The translations by the one name that CLDR has for their locales. Of several with the same, the
/// one that bears it counts.
fn by_form<T>(texts: &BTreeMap<Locale, T>) -> HashMap<String, (&Locale, &T)> {
    let mut forms = HashMap::new();
    for (locale, text) in texts {
        let Some(form) = form(locale) else { continue };
        if locale.bcp47() == form {
            forms.insert(form, (locale, text));
        } else {
            forms.entry(form).or_insert((locale, text));
        }
    }
    forms
}

/// How the locale of a text follows from a preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Match {
    /// It is the one that is preferred.
    Exact,
    /// It is another name for the one that is preferred.
    Equivalent,
    /// The one that is preferred inherits from it, by CLDR.
    Inherited,
    /// No preference led to it: it is the default.
    Default,
}

impl Match {
    /// All there are, as they are written.
    pub const TEXTS: &'static [&'static str] = &["Exact", "Equivalent", "Inherited", "Default"];
}

/// How a text was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trail {
    /// The locale of the text; absent for the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// How it follows from the preference.
    #[serde(rename = "match")]
    pub matched: Match,
    /// The preference that it follows from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preference: Option<Locale>,
}

/// Says how [`choose`] came from these preferences to the text in `chosen`.
#[must_use]
pub fn trail(preferred: &[Locale], chosen: Option<&Locale>) -> Trail {
    let found = chosen.and_then(|chosen| {
        preferred
            .iter()
            .find_map(|locale| Some((locale, matched(locale, chosen)?)))
    });
    Trail {
        locale: chosen.cloned(),
        matched: found.map_or(Match::Default, |(_, matched)| matched),
        preference: found.map(|(locale, _)| locale.clone()),
    }
}

fn matched(preferred: &Locale, chosen: &Locale) -> Option<Match> {
    if preferred == chosen {
        return Some(Match::Exact);
    }
    let form = form(chosen)?;
    let position = inheritance(preferred).iter().position(|one| *one == form)?;
    Some(match position {
        0 => Match::Equivalent,
        _ => Match::Inherited,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tag::LocalizedText;
    use super::*;

    fn locale(text: &str) -> Locale {
        Locale::parse(text).unwrap()
    }

    fn locales(texts: &[&str]) -> Vec<Locale> {
        texts.iter().map(|text| locale(text)).collect()
    }

    fn chosen(preferred: &[&str], keys: &[&str]) -> Option<String> {
        let texts: LocalizedText = keys
            .iter()
            .map(|key| (locale(key), format!("in {key}")))
            .collect();
        let (locale, text) = choose(&locales(preferred), &texts)?;
        assert_eq!(*text, format!("in {locale}"));
        Some(locale.to_string())
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
            (&["fr"], &["fr_FR"], None),
            (&["fr_CA"], &["fr_FR"], None),
            (&["fr_CA", "de"], &["de", "fr"], Some("fr")),
            (&["it", "de"], &["de", "fr"], Some("de")),
            (&["de_CH", "fr"], &["de", "fr"], Some("de")),
            (&["eo", "xx"], &["de", "en"], None),
            (&["xx_YY"], &["xx"], Some("xx")),
        ];
        for (preferred, keys, expected) in table {
            assert_eq!(
                chosen(preferred, keys).as_deref(),
                *expected,
                "{preferred:?} of {keys:?}"
            );
        }
    }

    #[test]
    fn other_names_of_a_locale_and_what_it_inherits_from_are_found_the_way_cldr_says() {
        let table: &[(&[&str], &[&str], Option<&str>)] = &[
            // Former codes, either way.
            (&["iw"], &["he"], Some("he")),
            (&["he_IL"], &["iw"], Some("iw")),
            (&["he_IL"], &["he", "iw_IL"], Some("iw_IL")),
            (&["iw"], &["he", "iw"], Some("iw")),
            (&["in_ID"], &["id"], Some("id")),
            (&["id"], &["in"], Some("in")),
            (&["ji"], &["yi"], Some("yi")),
            (&["tl"], &["fil"], Some("fil")),
            (&["fil_PH"], &["tl"], Some("tl")),
            (&["mo"], &["ro"], Some("ro")),
            (&["sh"], &["sr_Latn", "sr"], Some("sr_Latn")),
            (&["deu_AT"], &["de"], Some("de")),
            // Norwegian.
            (&["nb"], &["no"], Some("no")),
            (&["no"], &["nb"], Some("nb")),
            (&["nb_NO"], &["no"], Some("no")),
            (&["no_NO"], &["nb_NO"], Some("nb_NO")),
            (&["nn"], &["nb", "no"], Some("no")),
            (&["nn"], &["nb"], Some("nb")),
            (&["nb"], &["nn"], Some("nn")),
            (&["nn", "da"], &["da", "nn"], Some("nn")),
            // Chinese.
            (&["zh_HK"], &["zh", "zh_TW"], Some("zh_TW")),
            (&["zh_HK"], &["zh", "zh_Hant"], Some("zh_Hant")),
            (&["zh_HK"], &["zh_Hant_HK", "zh_TW"], Some("zh_Hant_HK")),
            (&["zh_HK"], &["zh"], None),
            (&["zh_HK", "en"], &["zh", "en"], Some("en")),
            (&["zh_Hant_TW"], &["zh_TW"], Some("zh_TW")),
            (&["zh_TW"], &["zh_Hant"], Some("zh_Hant")),
            (&["zh_Hant"], &["zh_TW", "zh"], Some("zh_TW")),
            (&["zh_Hans"], &["zh"], Some("zh")),
            (&["zh_Hans"], &["zh_CN", "zh_TW"], Some("zh_CN")),
            (&["zh_Hans_CN"], &["zh_CN"], Some("zh_CN")),
            (&["zh_SG"], &["zh", "zh_TW"], Some("zh")),
            (&["zh_cmn_Hans_CN"], &["zh_CN"], Some("zh_CN")),
            (&["zh_yue_HK"], &["yue"], Some("yue")),
            // Parents that are no prefix.
            (&["es_MX"], &["es", "es_419"], Some("es_419")),
            (&["es_MX"], &["es"], Some("es")),
            (&["es_ES"], &["es_419"], None),
            (&["pt_AO"], &["pt", "pt_PT"], Some("pt_PT")),
            (&["pt_AO"], &["pt"], Some("pt")),
            (&["pt_BR"], &["pt_PT"], None),
            (&["en_GB"], &["en", "en_001"], Some("en_001")),
            (&["en_AT"], &["en", "en_150"], Some("en_150")),
            // Never into another script.
            (&["sr_Latn", "de"], &["sr", "de"], Some("de")),
            (&["sr_Latn_RS"], &["sr", "sr_Latn"], Some("sr_Latn")),
            (&["sr_ME"], &["sr", "sr_Latn"], Some("sr_Latn")),
            (&["sr_Cyrl"], &["sr"], Some("sr")),
            (&["pa_PK"], &["pa", "pa_Arab"], Some("pa_Arab")),
            (&["pa_Arab"], &["pa_PK"], Some("pa_PK")),
            (&["uz_Cyrl"], &["uz"], None),
            (&["az_Cyrl_AZ", "ru"], &["az", "ru"], Some("ru")),
            // What follows the country.
            (&["ca_ES_VALENCIA"], &["ca"], Some("ca")),
            (
                &["ca_ES_valencia"],
                &["ca_ES_VALENCIA"],
                Some("ca_ES_VALENCIA"),
            ),
            (&["de_DE_1996"], &["de_DE", "de"], Some("de_DE")),
            (&["en_US_u_hc_h23"], &["en_US"], Some("en_US")),
            (&["x_twain"], &["x_twain", "en"], Some("x_twain")),
            (&["i_klingon", "en"], &["en"], Some("en")),
        ];
        let wrong: Vec<String> = table
            .iter()
            .filter_map(|(preferred, keys, expected)| {
                let chosen = chosen(preferred, keys);
                (chosen.as_deref() != *expected)
                    .then(|| format!("{preferred:?} of {keys:?}: {chosen:?}, not {expected:?}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_trail_tells_which_preference_led_to_a_text_and_how() {
        for (preferred, text, matched, preference) in [
            (&["it", "de"][..], Some("de"), Match::Exact, Some("de")),
            (&["iw_IL"], Some("he_IL"), Match::Equivalent, Some("iw_IL")),
            (
                &["xx", "es_MX"],
                Some("es_419"),
                Match::Inherited,
                Some("es_MX"),
            ),
            (&["de_AT"], None, Match::Default, None),
            // It was deleted, or the preferences are not those of that time.
            (&["de_AT"], Some("fr"), Match::Default, None),
        ] {
            let trail = trail(&locales(preferred), text.map(locale).as_ref());
            assert_eq!(trail.matched, matched, "{preferred:?} to {text:?}");
            assert_eq!(trail.preference, preference.map(locale));
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_chosen_has_a_trail(
            preferred in proptest::collection::vec("(en|de|zh|sr|es|nb|no|iw)(_(Latn|Hant|Hans))?(_(US|AT|HK|MX|419))?", 0..4),
            keys in proptest::collection::vec("(en|de|zh|sr|es|nn|no|he)(_(Latn|Hant|Hans))?(_(US|AT|TW|001|419))?", 0..6),
        ) {
            let preferred: Vec<Locale> = preferred.iter().map(|text| locale(text)).collect();
            let texts: LocalizedText = keys.iter().map(|key| (locale(key), key.clone())).collect();
            let chosen = choose(&preferred, &texts).map(|(locale, _)| locale);
            let trail = trail(&preferred, chosen);
            proptest::prop_assert_eq!(chosen.is_some(), trail.matched != Match::Default);
            proptest::prop_assert_eq!(trail.locale.as_ref(), chosen);
        }
    }
}
