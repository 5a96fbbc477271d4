//! One template text: parsed once, rendered as often as needed.

use std::sync::LazyLock;

use handlebars::{Context, Handlebars, RenderContext, Renderable, Template, no_escape};
use serde_json::Value as Json;

use super::fault::TemplateFault;
use super::meter::Meter;
use super::output::BoundedText;
use super::time::Zone;
use super::{helpers, meter, names, nesting};
use crate::locale::Locale;

/// The most that one part of an email may come to. Beyond it a mail is more likely
/// a loop over too much data than something to read.
const LONGEST_TEXT: usize = 1024 * 1024;

static PLAIN: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut handlebars = engine();
    handlebars.register_escape_fn(no_escape);
    handlebars
});
static HTML: LazyLock<Handlebars<'static>> = LazyLock::new(engine);

/// Handlebars' own strict mode stays off: it would refuse the members of what is
/// null, and would still let wrong names through in arguments. The walk in `names`
/// and the `helperMissing` hook are stricter where it matters.
fn engine() -> Handlebars<'static> {
    let mut handlebars = Handlebars::new();
    helpers::register(&mut handlebars);
    handlebars
}

/// How the values that a template writes are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaping {
    /// Not at all: subjects, names, plain text.
    None,
    /// For use within HTML.
    Html,
}

/// Whom a text is written for.
#[derive(Clone, Debug)]
pub struct Reader {
    languages: Vec<Locale>,
    text: Option<Locale>,
    zone: Zone,
}

impl Reader {
    /// A reader of these languages, best first, in the time zone of that IANA name
    /// (UTC if it is absent or unknown), before a text in the language `text`.
    ///
    /// Dates, numbers and durations follow the language of the text, in the form of the
    /// reader's own country if they name one: a text in `de` gives a reader of `de_AT`
    /// dates as in Austria. In a text of nobody knows which language they follow the
    /// reader.
    #[must_use]
    pub fn new(preferred: &[Locale], text: Option<&Locale>, timezone: Option<&str>) -> Self {
        let same = |locale: &&Locale| {
            text.is_some_and(|text| {
                text.country().is_none() && text.language() == locale.language()
            })
        };
        let own = preferred.iter().find(same);
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

/// A template that parses and calls only helpers that exist.
#[derive(Clone, Debug)]
pub struct CompiledTemplate {
    /// As it was written.
    written: Template,
    /// With what bounds its work.
    metered: Template,
}

impl CompiledTemplate {
    /// Parses a text.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        nesting::check(text)?;
        let template = Template::compile(text)?;
        names::check_helpers(&template)?;
        let metered = meter::metered(&template)
            .ok_or_else(|| TemplateFault::parse("the template cannot be bounded"))?;
        Ok(Self {
            written: template,
            metered,
        })
    }

    /// Renders the template with the members of `variables` as its names.
    ///
    /// A member that is null is empty in the output and false in conditions, and so
    /// are its own members.
    ///
    /// # Errors
    /// A name that `variables` does not have, a value that does not suit a helper, or
    /// an output of more than 1 MiB, or more work than a mail can be worth.
    pub fn render(
        &self,
        escaping: Escaping,
        variables: &Json,
        reader: &Reader,
    ) -> Result<String, TemplateFault> {
        self.render_context(escaping, &Context::from(variables.clone()), reader)
    }

    /// As [`CompiledTemplate::render`], for variables that several templates share.
    pub(super) fn render_context(
        &self,
        escaping: Escaping,
        variables: &Context,
        reader: &Reader,
    ) -> Result<String, TemplateFault> {
        names::check_variables(&self.written, variables.data())?;
        let engine = match escaping {
            Escaping::None => &*PLAIN,
            Escaping::Html => &*HTML,
        };
        let meter = Meter::new(variables.data());
        let mut context = RenderContext::new(None);
        meter.install(&mut context);
        helpers::register_for(reader, &mut context);
        let mut output = BoundedText::new(LONGEST_TEXT);
        self.metered
            .render(engine, variables, &mut context, &mut output)?;
        Ok(output.into_text())
    }
}

/// Tells whether a text is a template that may be saved.
///
/// # Errors
/// The first thing that is wrong with it, with its place where known.
pub fn check_syntax(text: &str) -> Result<(), TemplateFault> {
    CompiledTemplate::parse(text).map(drop)
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
