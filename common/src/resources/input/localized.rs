//! Locales within requests: maps from locale to text, and lists of locales.

use crate::locale::{Locale, LocalizedText};
use serde_json::Value;

use super::object::{Listed, Object, unix_lines};
use crate::resources::problem::Prefix;

/// Translations of one text at most. CLDR has about as many languages that are translated into.
const MOST_TRANSLATIONS: usize = 200;

impl Object<'_> {
    /// Texts by locale: trimmed, with unix line ends, without nulls, keys in their one
    /// spelling. A key that is no locale, or a value that is no text, is reported, and so are
    /// too many of them.
    #[must_use]
    pub fn localized(&self, member: &str) -> Option<LocalizedText> {
        let texts = self.all_localized(member)?;
        if texts.len() > MOST_TRANSLATIONS {
            self.refuse(Prefix::TooMany, member);
            return None;
        }
        Some(texts)
    }

    fn all_localized(&self, member: &str) -> Option<LocalizedText> {
        self.converted(member, |value| {
            let mut texts = LocalizedText::new();
            let given = value.as_object()?.iter();
            for (key, text) in given.filter(|(_, text)| !text.is_null()) {
                let locale = Locale::parse(key.trim()).ok()?;
                let text = unix_lines(storable(text)?.trim());
                // After a PATCH a locale may stand there twice: as it was stored, and as
                // the client spells it. The client's counts.
                if locale.as_str() == key {
                    texts.entry(locale).or_insert(text);
                } else {
                    texts.insert(locale, text);
                }
            }
            Some(texts)
        })
    }

    /// As [`Object::localized`]; reports texts of more than `longest` characters.
    #[must_use]
    pub fn short_localized(&self, member: &str, longest: usize) -> Option<LocalizedText> {
        let texts = self.localized(member)?;
        if texts.values().any(|text| text.chars().count() > longest) {
            self.refuse(Prefix::TooLong, member);
        }
        Some(texts)
    }

    /// A list of locales, best first, each once.
    #[must_use]
    pub fn locales(&self, member: &str, most: usize) -> Vec<Locale> {
        let parsed = self.converted(member, |value| {
            let elements = value
                .as_array()?
                .iter()
                .filter(|element| !element.is_null());
            elements.map(locale).collect::<Option<Vec<Locale>>>()
        });
        let mut unique: Vec<Locale> = Vec::new();
        for locale in parsed.unwrap_or_default() {
            if !unique.contains(&locale) {
                unique.push(locale);
            }
            if unique.len() > most {
                self.refuse(Prefix::TooMany, member);
                break;
            }
        }
        unique
    }

    /// Texts of a list, trimmed. Nulls and blanks are dropped.
    #[must_use]
    pub fn texts(&self, member: &str) -> Vec<Listed<String>> {
        let mut texts = self.elements(member, |value| Some(storable(value)?.trim().to_owned()));
        texts.retain(|listed| !listed.value.is_empty());
        texts
    }
}

/// A text that every database can store.
fn storable(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.contains('\0'))
}

fn locale(value: &Value) -> Option<Locale> {
    Locale::parse(value.as_str()?.trim()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::problem::Collector;

    #[test]
    fn maps_are_normalised() {
        let body = json!({"names": {"EN-us": " a\r\nb ", "de": null, "fr": ""}});
        let errors = Collector::new();
        let names = Object::root(body.as_object().unwrap(), &errors)
            .localized("names")
            .unwrap();
        assert_eq!(
            serde_json::to_value(names).unwrap(),
            json!({"en_US": "a\nb", "fr": ""})
        );
        assert!(errors.finish().is_ok());
    }

    #[test]
    fn a_new_spelling_replaces_what_was_stored() {
        for new in ["en-US", "en_us", "EN_US"] {
            let body = json!({"names": {"en_US": "stored", new: "new"}});
            let errors = Collector::new();
            let names = Object::root(body.as_object().unwrap(), &errors).localized("names");
            assert_eq!(
                serde_json::to_value(names).unwrap(),
                json!({"en_US": "new"}),
                "{new}"
            );
        }
    }

    #[test]
    fn odd_locales_and_texts_are_reported_on_the_map() {
        for wrong in [
            json!({"german": "a"}),
            json!({"de": 5}),
            json!({"de": "\0"}),
            json!(["de"]),
        ] {
            let body = json!({ "names": wrong });
            let errors = Collector::new();
            assert!(
                Object::root(body.as_object().unwrap(), &errors)
                    .localized("names")
                    .is_none()
            );
            assert!(!errors.accepts("names"));
        }
    }

    #[test]
    fn more_translations_than_there_are_languages_are_refused() {
        for (count, fits) in [(MOST_TRANSLATIONS, true), (MOST_TRANSLATIONS + 1, false)] {
            let letters = || 'a'..='z';
            let languages = letters().flat_map(|a| letters().map(move |b| format!("q{a}{b}")));
            let texts = languages.take(count).map(|language| (language, json!("a")));
            let body = json!({"names": serde_json::Map::from_iter(texts)});
            let errors = Collector::new();
            let names = Object::root(body.as_object().unwrap(), &errors).localized("names");
            assert_eq!((names.is_some(), errors.accepts("names")), (fits, fits));
        }
    }

    #[test]
    fn lists_of_locales_keep_their_order_and_drop_repetitions() {
        let body =
            json!({"preferredLanguages": ["fr_ca", "de", null, "fr-CA"], "odd": ["de", "x!"]});
        let errors = Collector::new();
        let body = Object::root(body.as_object().unwrap(), &errors);
        let locales: Vec<String> = body
            .locales("preferredLanguages", 20)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(locales, ["fr_CA", "de"]);
        assert!(body.locales("odd", 20).is_empty());
        assert!(errors.accepts("preferredLanguages") && !errors.accepts("odd"));
    }
}
