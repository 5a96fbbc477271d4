//! How much work a rendering may be.
//!
//! The bound on the output does not stop loops that write nothing. So each block of a
//! template begins with a step that nobody wrote: it says how much the block costs, and
//! ends the rendering once that comes to too much. What ends it depends on the template
//! and its variables alone, never on the clock.

use std::sync::atomic::{AtomicU64, Ordering};

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason,
};
use serde_json::Value as Json;

use super::helpers;

/// Tags and texts that a rendering may come to. A mail to read has a few hundred.
const MOST_STEPS: u64 = 100_000;

/// So much data costs a helper that is given all of it as much as another step.
const BYTES_PER_STEP: u64 = 4096;

/// The name of the step; no helper that an author could call.
const STEP: &str = "step";

/// The template with its steps. `None` if the engine does not know how to make one, which
/// cannot be.
pub(super) fn metered(template: &Template) -> Option<Template> {
    let mut template = template.clone();
    add_steps(&mut template)?;
    Some(template)
}

fn add_steps(template: &mut Template) -> Option<()> {
    let calls = template.elements.iter().map(calls).sum::<usize>();
    // An empty block costs as well: it is gone through all the same.
    let weight = template.elements.len() + 1;
    for element in &mut template.elements {
        if let TemplateElement::HelperBlock(block) = element {
            let inner = [&mut block.template, &mut block.inverse];
            for inner in inner.into_iter().flatten() {
                add_steps(inner)?;
            }
        }
    }
    let step = Template::compile(&format!("{{{{{STEP} {weight} {calls}}}}}")).ok()?;
    template.elements.splice(0..0, step.elements);
    template.mapping.splice(0..0, step.mapping);
    Some(())
}

/// How many helpers an element calls that may copy what they are given. Handlebars' own
/// blocks only look at it.
fn calls(element: &TemplateElement) -> usize {
    match element {
        TemplateElement::Expression(tag)
        | TemplateElement::HtmlExpression(tag)
        | TemplateElement::HelperBlock(tag) => calls_of(tag),
        _ => 0,
    }
}

fn calls_of(tag: &HelperTemplate) -> usize {
    let within = |parameter: &Parameter| match parameter {
        Parameter::Subexpression(call) => calls(call.as_element()),
        _ => 0,
    };
    let parameters = [&tag.name].into_iter().chain(&tag.params);
    let name = tag.name.as_name().unwrap_or_default();
    let copies = !tag.params.is_empty() && !helpers::must_be_block(name);
    let inside = parameters.chain(tag.hash.values()).map(within);
    usize::from(copies) + inside.sum::<usize>()
}

/// Counts the steps of one rendering.
#[derive(Debug)]
pub(super) struct Meter {
    taken: AtomicU64,
    /// What a call costs that is given all variables.
    per_call: u64,
}

impl Meter {
    pub(super) fn new(variables: &Json) -> Self {
        Self {
            taken: AtomicU64::new(0),
            per_call: 1 + size(variables) / BYTES_PER_STEP,
        }
    }

    pub(super) fn install<'rc>(&'rc self, context: &mut RenderContext<'_, 'rc>) {
        context.register_local_helper(STEP, Box::new(Step(self)));
    }

    fn take(&self, weight: u64, calls: u64) -> Result<(), RenderError> {
        let cost = weight.saturating_add(calls.saturating_mul(self.per_call));
        let taken = self.taken.fetch_add(cost, Ordering::Relaxed);
        if taken.saturating_add(cost) > MOST_STEPS {
            let reason = "the template takes too long; it loops over too much".to_owned();
            return Err(RenderErrorReason::Other(reason).into());
        }
        Ok(())
    }
}

struct Step<'a>(&'a Meter);

impl HelperDef for Step<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        let number = |index| helper.param(index).and_then(|param| param.value().as_u64());
        self.0.take(
            number(0).unwrap_or(MOST_STEPS),
            number(1).unwrap_or(MOST_STEPS),
        )
    }
}

/// About how many bytes the value would be as a text.
fn size(value: &Json) -> u64 {
    let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 8,
        Json::String(text) => 8 + length(text.len()),
        Json::Array(elements) => 8 + elements.iter().map(size).sum::<u64>(),
        Json::Object(members) => {
            8 + members
                .iter()
                .map(|(name, value)| length(name.len()) + size(value))
                .sum::<u64>()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::render::{CompiledTemplate, Escaping, Reader, TemplateFault};

    fn rendered(text: &str, variables: &serde_json::Value) -> Result<String, TemplateFault> {
        let reader = Reader::new(&[], None, None);
        CompiledTemplate::parse(text)?.render(Escaping::None, variables, &reader)
    }

    #[test]
    fn loops_that_write_nothing_end() {
        let variables = json!({"rows": vec![json!({"a": 1}); 2_000]});
        for text in [
            "{{#each rows}}{{#each ../rows}}{{#each ../../rows}}{{/each}}{{/each}}{{/each}}"
                .to_owned(),
            "{{#each rows}}{{#each @root.rows}}{{#if false}}a{{/if}}{{/each}}{{/each}}".to_owned(),
            "{{#each rows}}{{#each @root.rows}}{{else}}{{/each}}{{/each}}".to_owned(),
            format!(
                "{}{}",
                "{{#each @root.rows}}".repeat(32),
                "{{/each}}".repeat(32)
            ),
        ] {
            let fault = rendered(&text, &variables).unwrap_err();
            assert!(fault.reason.contains("takes too long"), "{text}: {fault}");
        }
    }

    #[test]
    fn calls_cost_what_there_is_to_work_on() {
        let much = json!({"data": {"rows": vec!["x".repeat(1_000); 1_000]}});
        let calls = "{{#if (eq (json data) (json data))}}{{/if}}".repeat(1_000);
        let fault = rendered(&calls, &much).unwrap_err();
        assert!(fault.reason.contains("takes too long"), "{fault}");
        assert_eq!(rendered(&calls, &json!({"data": {}})), Ok(String::new()));
    }

    #[test]
    fn long_templates_over_ordinary_data_are_fine() {
        let variables = json!({"rows": vec![json!({"name": "Ada"}); 500]});
        let text = "{{#each rows}}<tr><td>{{name}}</td><td>{{upper name}}</td></tr>\n{{/each}}";
        assert!(rendered(text, &variables).unwrap().len() > 10_000);
        assert!(rendered(&"{{rows.0.name}} ".repeat(4_000), &variables).is_ok());
    }

    #[test]
    fn the_step_is_no_helper_of_authors() {
        let fault = rendered("{{step 0 0}}", &json!({})).unwrap_err();
        assert_eq!(fault.reason, "there is no helper `step`");
        let fault = rendered("\n {{#if (x)}}{{/if}}", &json!({})).unwrap_err();
        assert_eq!(fault.line, Some(2));
    }
}
