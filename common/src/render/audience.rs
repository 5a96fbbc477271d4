//! Whom a text is written for: languages and time zone.

use super::time::Zone;
use crate::locale::Locale;
use crate::locale::cldr::includes;

/// Whom a text is written for.
#[derive(Clone, Debug)]
pub struct Audience {
    languages: Vec<Locale>,
    text: Option<Locale>,
    zone: Zone,
}

impl Audience {
    /// A reader of these languages, best first, in the time zone of that name
    /// (UTC if it is absent or unknown), before a text in the language `text`.
    ///
    /// Dates, numbers and durations follow the language of the text, in the form of the
    /// reader's own country if they name one: a text in `de` gives a reader of `de_AT`
    /// dates as in Austria. If the language of the text is not known, they follow the
    /// reader's own.
    #[must_use]
    pub fn new(preferred: &[Locale], text: Option<&Locale>, timezone: Option<&str>) -> Self {
        let own = preferred
            .iter()
            .find(|locale| text.is_some_and(|text| includes(text, locale)));
        Self {
            languages: own
                .into_iter()
                .chain(text)
                .chain(preferred)
                .cloned()
                .collect(),
            text: text.cloned(),
            zone: Zone::new(timezone),
        }
    }

    pub(super) fn languages(&self) -> &[Locale] {
        &self.languages
    }

    /// The language of the text, if anybody said which.
    pub(super) fn text(&self) -> Option<&Locale> {
        self.text.as_ref()
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }
}
