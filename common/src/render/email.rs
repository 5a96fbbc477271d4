//! A whole email: each part in the reader's language, rendered or explained.

use std::fmt;

use super::template::Escaping;
use super::template_error::TemplateError;
use crate::locale::{Locale, LocalizedText};

/// One text of a template and its translations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts<D> {
    /// What is used when no translation suits the reader.
    pub default: D,
    /// The translations.
    pub localized: LocalizedText,
}

/// The four texts that make an email.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailTexts {
    /// The subject line.
    pub subject: Texts<String>,
    /// The sender's display name; may be absent or exist in translation only.
    pub from_name: Texts<Option<String>>,
    /// The HTML part.
    pub html: Texts<String>,
    /// The plain text part.
    pub text: Texts<String>,
}

/// Which of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EmailPart {
    /// The subject line.
    Subject,
    /// The sender's display name.
    FromName,
    /// The HTML part.
    Html,
    /// The plain text part.
    Text,
}

impl EmailPart {
    /// The name that the API gives the part.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::FromName => "fromName",
            Self::Html => "html",
            Self::Text => "text",
        }
    }

    pub(super) fn escaping(self) -> Escaping {
        match self {
            Self::Html => Escaping::Html,
            Self::Subject | Self::FromName | Self::Text => Escaping::None,
        }
    }

    /// Whether the part becomes a mail header, which is a single line.
    pub(super) fn is_header(self) -> bool {
        matches!(self, Self::Subject | Self::FromName)
    }
}

impl fmt::Display for EmailPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A rendered part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The translation it was made from; `None` for the default text.
    pub locale: Option<Locale>,
    /// What the reader gets.
    pub text: String,
}

/// An email that is ready to be addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedEmail {
    /// A single line.
    pub subject: Part,
    /// A single line, `None` if there is no name or it came out empty.
    pub from_name: Option<Part>,
    /// The HTML part.
    pub html: Part,
    /// The plain text part.
    pub text: Part,
}

/// What is wrong with one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartError {
    /// Which part.
    pub part: EmailPart,
    /// The translation that is wrong; `None` for the default text.
    pub locale: Option<Locale>,
    /// What is wrong with it.
    pub fault: TemplateError,
}

impl fmt::Display for PartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.part)?;
        if let Some(locale) = &self.locale {
            write!(formatter, " in {locale}")?;
        }
        write!(formatter, ": {}", self.fault)
    }
}

/// Why an email cannot be made: every part that fails, in the order of [`EmailPart`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    /// At least one.
    pub faults: Vec<PartError>,
}

impl fmt::Display for RenderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the email cannot be rendered")?;
        for (index, fault) in self.faults.iter().enumerate() {
            write!(formatter, "{} {fault}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl std::error::Error for RenderError {}

impl EmailTexts {
    /// Each text that there is, whoever reads it.
    pub(super) fn all(&self) -> impl Iterator<Item = (EmailPart, Option<&Locale>, &str)> {
        let (subject, html, text) = (&self.subject, &self.html, &self.text);
        let from_name = self.from_name.default.as_ref();
        let parts = [
            (
                EmailPart::Subject,
                Some(&subject.default),
                &subject.localized,
            ),
            (EmailPart::FromName, from_name, &self.from_name.localized),
            (EmailPart::Html, Some(&html.default), &html.localized),
            (EmailPart::Text, Some(&text.default), &text.localized),
        ];
        parts.into_iter().flat_map(|(part, default, localized)| {
            let default = default.map(|text| (part, None, text.as_str()));
            let localized = localized.iter();
            let localized =
                localized.map(move |(locale, text)| (part, Some(locale), text.as_str()));
            default.into_iter().chain(localized)
        })
    }
}

/// What came of each part: what is missing has a fault, or never was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedParts {
    /// A single line.
    pub subject: Option<Part>,
    /// A single line, `None` if there is no name or it came out empty.
    pub from_name: Option<Part>,
    /// The HTML part.
    pub html: Option<Part>,
    /// The plain text part.
    pub text: Option<Part>,
    /// Every part that failed, in the order of [`EmailPart`].
    pub faults: Vec<PartError>,
}

/// Makes a text safe for a mail header: runs of spaces, line breaks and other control
/// characters become one space. Spaces that do not break stay: they are part of the text.
#[must_use]
pub fn on_one_line(text: &str) -> String {
    let breaks =
        |char: char| char == ' ' || char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
    let pieces: Vec<&str> = text
        .split(breaks)
        .filter(|piece| !piece.is_empty())
        .collect();
    pieces.join(" ")
}
