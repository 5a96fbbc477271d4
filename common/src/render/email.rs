//! A whole email: each part in the reader's language, rendered or explained.

use std::fmt;

use handlebars::Context;
use serde_json::{Map, Value as Json, json};

use super::fault::TemplateFault;
use super::template::{Escaping, Reader};
use super::{cache, plain};
use crate::cldr::is_right_to_left;
use crate::locale::{Locale, LocalizedText, choose};

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

    fn escaping(self) -> Escaping {
        match self {
            Self::Html => Escaping::Html,
            Self::Subject | Self::FromName | Self::Text => Escaping::None,
        }
    }

    /// Whether the part becomes a mail header, which is a single line.
    fn is_header(self) -> bool {
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
pub struct PartFault {
    /// Which part.
    pub part: EmailPart,
    /// The translation that is wrong; `None` for the default text.
    pub locale: Option<Locale>,
    /// What is wrong with it.
    pub fault: TemplateFault,
}

impl fmt::Display for PartFault {
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
    pub faults: Vec<PartFault>,
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
    pub faults: Vec<PartFault>,
}

/// Renders an email for a reader who prefers these languages, best first.
///
/// The language of each part is chosen on its own, so a template with only its
/// subject translated mixes languages. Templates find their names in `variables`,
/// which is an object; `locale.tag` and `locale.dir` are added to it for each part
/// (the tag of a default text is null: nobody said which language it is in).
///
/// # Errors
/// Lists every part that fails, not only the first.
pub fn render(
    texts: &EmailTexts,
    preferred: &[Locale],
    variables: &Json,
    timezone: Option<&str>,
) -> Result<RenderedEmail, RenderError> {
    let parts = render_parts(texts, preferred, variables, timezone);
    match (parts.subject, parts.html, parts.text) {
        (Some(subject), Some(html), Some(text)) if parts.faults.is_empty() => Ok(RenderedEmail {
            subject,
            from_name: parts.from_name,
            html,
            text,
        }),
        _ => Err(RenderError {
            faults: parts.faults,
        }),
    }
}

/// As [`render`], and keeps the parts that are right when others are not.
#[must_use]
pub fn render_parts(
    texts: &EmailTexts,
    preferred: &[Locale],
    variables: &Json,
    timezone: Option<&str>,
) -> RenderedParts {
    let mut rendering = Rendering::new(preferred, variables, timezone);
    let subject = rendering.required(EmailPart::Subject, &texts.subject);
    let from_name = rendering.optional(EmailPart::FromName, &texts.from_name);
    let html = rendering.required(EmailPart::Html, &texts.html);
    let text = rendering.required(EmailPart::Text, &texts.text);
    let text = text.map(|text| match &html {
        Some(html) if text.text.trim().is_empty() => derived(html),
        _ => text,
    });
    RenderedParts {
        subject,
        from_name: from_name.filter(|part| !part.text.is_empty()),
        html,
        text,
        faults: rendering.faults,
    }
}

/// The text part of a mail whose template has none to say: that of the HTML part. Some
/// readers see no HTML, and filters distrust mail without text.
fn derived(html: &Part) -> Part {
    Part {
        locale: html.locale.clone(),
        text: plain::from_html(&html.text),
    }
}

/// Renders every text that there is, whoever would read it, and says what is wrong.
#[must_use]
pub fn lint(texts: &EmailTexts, variables: &Json) -> Vec<PartFault> {
    let mut rendering = Rendering::new(&[], variables, None);
    let from_name = texts.from_name.default.as_deref();
    for (part, default, localized) in [
        (
            EmailPart::Subject,
            Some(texts.subject.default.as_str()),
            &texts.subject.localized,
        ),
        (EmailPart::FromName, from_name, &texts.from_name.localized),
        (
            EmailPart::Html,
            Some(texts.html.default.as_str()),
            &texts.html.localized,
        ),
        (
            EmailPart::Text,
            Some(texts.text.default.as_str()),
            &texts.text.localized,
        ),
    ] {
        if let Some(default) = default {
            rendering.part(part, None, default);
        }
        for (locale, text) in localized {
            rendering.part(part, Some(locale), text);
        }
    }
    rendering.faults
}

struct Rendering<'a> {
    preferred: &'a [Locale],
    timezone: Option<&'a str>,
    variables: Context,
    faults: Vec<PartFault>,
}

impl<'a> Rendering<'a> {
    fn new(preferred: &'a [Locale], variables: &Json, timezone: Option<&'a str>) -> Self {
        Self {
            preferred,
            timezone,
            variables: Context::from(variables.clone()),
            faults: Vec::new(),
        }
    }

    fn required(&mut self, part: EmailPart, texts: &Texts<String>) -> Option<Part> {
        match choose(self.preferred, &texts.localized) {
            Some((locale, text)) => self.part(part, Some(locale), text),
            None => self.part(part, None, &texts.default),
        }
    }

    fn optional(&mut self, part: EmailPart, texts: &Texts<Option<String>>) -> Option<Part> {
        match choose(self.preferred, &texts.localized) {
            Some((locale, text)) => self.part(part, Some(locale), text),
            None => self.part(part, None, texts.default.as_deref()?),
        }
    }

    /// Renders one part, or notes what is wrong with it.
    fn part(&mut self, part: EmailPart, locale: Option<&Locale>, template: &str) -> Option<Part> {
        self.name_locale(locale);
        let reader = Reader::new(self.preferred, locale, self.timezone);
        let rendered = cache::compiled(template).and_then(|template| {
            template.render_context(part.escaping(), &self.variables, &reader)
        });
        match rendered {
            Ok(text) => {
                let text = if part.is_header() {
                    on_one_line(&text)
                } else {
                    text
                };
                Some(Part {
                    locale: locale.cloned(),
                    text,
                })
            }
            Err(fault) => {
                self.faults.push(PartFault {
                    part,
                    locale: locale.cloned(),
                    fault,
                });
                None
            }
        }
    }

    fn name_locale(&mut self, locale: Option<&Locale>) {
        let right_to_left = locale.is_some_and(is_right_to_left);
        let named = json!({
            "tag": locale.map(Locale::bcp47),
            "dir": if right_to_left { "rtl" } else { "ltr" },
        });
        let variables = self.variables.data_mut();
        match variables {
            Json::Object(members) => {
                members.insert("locale".to_owned(), named);
            }
            _ => *variables = Json::Object(Map::from_iter([("locale".to_owned(), named)])),
        }
    }
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

#[cfg(test)]
#[path = "email_tests.rs"]
mod tests;
