//! Renders emails: for one reader or for many, as a trial or to be sent.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use handlebars::Context;
use serde_json::{Map, Value as Json, json};
use url::Url;

use super::audience::Audience;
use super::email::{
    EmailPart, EmailTexts, Part, PartError, RenderError, RenderedEmail, RenderedParts, Texts,
    on_one_line,
};
use super::fuel::{self, Fuel};
use super::template::{CompiledTemplate, parsing_steps};
use super::template_error::TemplateError;
use super::{cache, html_to_text, unsubscribe};
use crate::locale::cldr::is_right_to_left;
use crate::locale::{Locale, choose};

/// Steps that the texts of one mail may take. A hundred thousand take about a tenth of a
/// second.
const MOST_OF_A_MAIL: u64 = 200_000;

/// Steps that the mails of one request may take, however many there are.
const MOST_OF_A_REQUEST: u64 = 400_000;

/// Steps that a trial of all texts of a template may take, their parsing included.
const MOST_OF_A_TRIAL: u64 = 300_000;

/// Renders the texts of a template for one reader after the other.
///
/// Templates find their names in the variables; `locale.tag` and `locale.dir` are added to
/// them for each part (the tag of a default text is null: nobody said which language it is
/// in). What the mails may cost together is bounded.
#[derive(Debug)]
pub struct Renderer<'t> {
    texts: &'t EmailTexts,
    variables: Context,
    /// About how many bytes of memory the variables take.
    size: u64,
    fuel: Fuel,
    /// Whether parsing takes fuel as well. Texts that are stored were tried before.
    is_trial: bool,
    /// The texts that have been used, parsed.
    parsed: HashMap<(EmailPart, Option<Locale>), Parsed>,
}

type Parsed = Result<Arc<CompiledTemplate>, TemplateError>;

impl<'t> Renderer<'t> {
    /// For one mail.
    #[must_use]
    pub fn new(texts: &'t EmailTexts, variables: Json) -> Self {
        Self::with_steps(texts, variables, MOST_OF_A_MAIL)
    }

    fn for_trial(texts: &'t EmailTexts, variables: Json) -> Self {
        Self {
            is_trial: true,
            ..Self::with_steps(texts, variables, MOST_OF_A_TRIAL)
        }
    }

    /// For the mails of one request.
    #[must_use]
    pub fn for_many(texts: &'t EmailTexts, variables: Json) -> Self {
        Self::with_steps(texts, variables, MOST_OF_A_REQUEST)
    }

    pub(super) fn with_steps(texts: &'t EmailTexts, variables: Json, steps: u64) -> Self {
        let variables = match variables {
            Json::Object(_) => variables,
            _ => Json::Object(Map::new()),
        };
        Self {
            texts,
            size: fuel::size(&variables),
            variables: Context::from(variables),
            fuel: Fuel::new(steps),
            is_trial: false,
            parsed: HashMap::new(),
        }
    }

    /// The variables.
    #[must_use]
    pub fn variables(&self) -> &Json {
        self.variables.data()
    }

    /// Gives a variable another value for the mails to come.
    pub fn set(&mut self, name: &str, value: Json) {
        if let Json::Object(variables) = self.variables.data_mut() {
            self.size += fuel::size(&value);
            let replaced = variables.insert(name.to_owned(), value);
            let replaced = replaced.as_ref().map_or(0, fuel::size);
            self.size = self.size.saturating_sub(replaced);
        }
    }

    /// Whether the mails have taken all the time that there is for them: the last one and
    /// those to come cannot be rendered, whatever is in them.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.fuel.is_empty()
    }

    /// The email for a reader who prefers these languages, best first, and lives in this
    /// time zone.
    ///
    /// The language of each part is chosen on its own, so a template with only its
    /// subject translated mixes languages.
    ///
    /// # Errors
    /// Lists every part that fails, not only the first.
    pub fn email(
        &mut self,
        preferred: &[Locale],
        timezone: Option<&str>,
    ) -> Result<RenderedEmail, RenderError> {
        let parts = self.parts(preferred, timezone);
        match (parts.subject, parts.html, parts.text) {
            (Some(subject), Some(html), Some(text)) if parts.faults.is_empty() => {
                Ok(RenderedEmail {
                    subject,
                    from_name: parts.from_name,
                    html,
                    text,
                })
            }
            _ => Err(RenderError {
                faults: parts.faults,
            }),
        }
    }

    /// As [`Renderer::email`], and keeps the parts that are right when others are not.
    #[must_use]
    pub fn parts(&mut self, preferred: &[Locale], timezone: Option<&str>) -> RenderedParts {
        let texts = self.texts;
        let mut faults = Vec::new();
        let mut part = |part, chosen: Option<(Option<&Locale>, &str)>| {
            let (locale, text) = chosen?;
            let reader = Audience::new(preferred, locale, timezone);
            match self.part(part, locale, text, &reader) {
                Ok(text) => Some(Part {
                    locale: locale.cloned(),
                    text,
                }),
                Err(fault) => {
                    faults.push(PartError {
                        part,
                        locale: locale.cloned(),
                        fault,
                    });
                    None
                }
            }
        };
        let required = |texts: &'t Texts<String>| chosen(preferred, texts, |text| Some(text));
        let from_name = chosen(preferred, &texts.from_name, Option::as_deref);
        let subject = part(EmailPart::Subject, required(&texts.subject));
        let from_name = part(EmailPart::FromName, from_name);
        let html = part(EmailPart::Html, required(&texts.html));
        let text = part(EmailPart::Text, required(&texts.text));
        let text = text.map(|text| match &html {
            Some(html) if text.text.trim().is_empty() => derived(html),
            _ => text,
        });
        RenderedParts {
            subject,
            from_name: from_name.filter(|part| !part.text.is_empty()),
            html,
            text,
            faults,
        }
    }

    /// What the template comes to, which gives the address of `List-Unsubscribe`.
    ///
    /// # Errors
    /// What is wrong with the template, or with the URI that it comes to.
    pub fn unsubscribe_uri(&mut self, template: &str) -> Result<Url, TemplateError> {
        if let Json::Object(variables) = self.variables.data_mut() {
            variables.remove("locale");
        }
        guarded(|| {
            let template = cache::compiled(template)?;
            self.fuel.begin_text(self.size);
            unsubscribe::uri(&template, &self.variables, &self.fuel)
        })
    }

    fn part(
        &mut self,
        part: EmailPart,
        locale: Option<&Locale>,
        text: &str,
        reader: &Audience,
    ) -> Result<String, TemplateError> {
        self.name_locale(locale);
        self.fuel.begin_text(self.size);
        let parsed = self.parsed.entry((part, locale.cloned()));
        let parsed = parsed.or_insert_with(|| {
            let steps = parsing_steps(text).filter(|_| self.is_trial);
            if steps.is_some_and(|steps| !self.fuel.take_whole(steps)) {
                let reason = "the texts have too many tags together for their length";
                return Err(TemplateError::parse(reason));
            }
            guarded(|| cache::compiled(text))
        });
        let template = parsed.as_ref().map_err(Clone::clone)?;
        let text =
            guarded(|| template.render(part.escaping(), &self.variables, reader, &self.fuel))?;
        Ok(match part.is_header() {
            true => on_one_line(&text),
            false => text,
        })
    }

    fn name_locale(&mut self, locale: Option<&Locale>) {
        let right_to_left = locale.is_some_and(is_right_to_left);
        self.set(
            "locale",
            json!({
                "tag": locale.map(Locale::bcp47),
                "dir": if right_to_left { "rtl" } else { "ltr" },
            }),
        );
    }
}

/// The text for a reader of these languages, with the language that it is in.
fn chosen<'t, D>(
    preferred: &[Locale],
    texts: &'t Texts<D>,
    default: impl Fn(&'t D) -> Option<&'t str>,
) -> Option<(Option<&'t Locale>, &'t str)> {
    match choose(preferred, &texts.localized) {
        Some((locale, text)) => Some((Some(locale), text)),
        None => default(&texts.default).map(|text| (None, text)),
    }
}

/// A template that makes the engine panic is a template that fails: it must not be in the
/// way of what the mail is for.
fn guarded<T>(work: impl FnOnce() -> Result<T, TemplateError>) -> Result<T, TemplateError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(TemplateError::render("the template makes the engine fail")))
}

/// The text part of a mail whose template has none to say: that of the HTML part. Some
/// readers see no HTML, and filters distrust mail without text.
fn derived(html: &Part) -> Part {
    Part {
        locale: html.locale.clone(),
        text: html_to_text::from_html(&html.text),
    }
}

/// As [`Renderer::parts`], for texts that are tried for the first time.
#[must_use]
pub fn render_parts(
    texts: &EmailTexts,
    preferred: &[Locale],
    variables: &Json,
    timezone: Option<&str>,
) -> RenderedParts {
    Renderer::for_trial(texts, variables.clone()).parts(preferred, timezone)
}

/// Renders every text that there is, whoever would read it, and says what is wrong.
///
/// What the texts may cost together is bounded: the one that exceeds it is the last one that
/// is tried.
#[must_use]
pub fn lint(texts: &EmailTexts, variables: &Json) -> Vec<PartError> {
    let mut renderer = Renderer::for_trial(texts, variables.clone());
    let mut faults = Vec::new();
    for (part, locale, text) in texts.all() {
        let reader = Audience::new(&[], locale, None);
        if let Err(fault) = renderer.part(part, locale, text, &reader) {
            faults.push(PartError {
                part,
                locale: locale.cloned(),
                fault,
            });
            if renderer.is_exhausted() {
                break;
            }
        }
        // Each is used once.
        renderer.parsed.clear();
    }
    faults
}

/// Renders the template, and makes sure that a mail program may be shown what comes out.
///
/// # Errors
/// What is wrong with the template, or with the URI that it comes to.
pub fn unsubscribe_uri(template: &str, variables: &Json) -> Result<Url, TemplateError> {
    let no_texts = EmailTexts::default();
    Renderer::new(&no_texts, variables.clone()).unsubscribe_uri(template)
}

#[cfg(test)]
mod tests;
