//! One template text: parsed once, rendered as often as needed.

use std::sync::LazyLock;

use handlebars::{Context, Handlebars, RenderContext, Renderable, Template, no_escape};

use super::audience::Audience;
use super::fuel::Fuel;
use super::output::{BoundedText, LONGEST_TEXT};
use super::template_error::TemplateError;
use super::{fuel, helpers, lint, prescan};

/// Steps of [`parsing_steps`] that a text may take. 64 KiB may have four thousand tags.
const MOST_TO_PARSE: u64 = 300_000;

static PLAIN: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut handlebars = engine();
    handlebars.register_escape_fn(no_escape);
    handlebars
});
static HTML: LazyLock<Handlebars<'static>> = LazyLock::new(engine);

/// Handlebars' own strict mode stays off: it would refuse the members of what is
/// null, and would still let wrong names through in arguments. The walk in `lint`
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
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if parsing_steps(text).is_none() {
            return Err(TemplateError::parse(
                "too many tags for a text of this length",
            ));
        }
        prescan::check(text)?;
        let template = Template::compile(text)?;
        lint::check_helpers(&template)?;
        let metered = fuel::metered(&template)
            .ok_or_else(|| TemplateError::parse("the template cannot be bounded"))?;
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
    /// an output of more than 1 MiB, or more work than `fuel` is there for.
    pub(super) fn render(
        &self,
        escaping: Escaping,
        variables: &Context,
        reader: &Audience,
        fuel: &Fuel,
    ) -> Result<String, TemplateError> {
        lint::check_variables(&self.written, variables.data())?;
        let engine = match escaping {
            Escaping::None => &*PLAIN,
            Escaping::Html => &*HTML,
        };
        let mut context = RenderContext::new(None);
        helpers::register_for(reader, fuel, &mut context);
        let mut output = BoundedText::new(LONGEST_TEXT);
        self.metered
            .render(engine, variables, &mut context, &mut output)?;
        Ok(output.into_text())
    }
}

/// What parsing a text costs, in steps of [`Fuel`]; `None` for one that is refused unread. The
/// engine counts the lines from the beginning of the text for every tag.
pub(super) fn parsing_steps(text: &str) -> Option<u64> {
    const BYTES_PER_STEP: usize = 1024;
    const STEPS_PER_TAG: usize = 4;
    let tags = text.matches("{{").count() + 1;
    let counted = tags.saturating_mul(text.len()) / BYTES_PER_STEP;
    let steps = fuel::bytes(counted.saturating_add(tags * STEPS_PER_TAG));
    (steps <= MOST_TO_PARSE).then_some(steps)
}

/// Tells whether a text is a template that may be saved.
///
/// # Errors
/// The first thing that is wrong with it, with its place where known.
pub fn check_syntax(text: &str) -> Result<(), TemplateError> {
    CompiledTemplate::parse(text).map(drop)
}

#[cfg(test)]
mod tests;
