//! How much work a rendering may be.
//!
//! The bound on the output does not stop loops that write nothing, nor helpers whose results
//! nobody writes. So all of it is paid for from one tank: each block of a template begins
//! with a call that nobody wrote, which takes what the block costs, and each helper takes
//! what its result costs. What empties the tank depends on the template and its variables
//! alone, never on the clock.

use std::sync::atomic::{AtomicU64, Ordering};

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, Path, RenderContext, RenderError,
    RenderErrorReason,
};
use serde_json::Value as Json;

use super::catalog;

/// Steps that one text may take: a step is a tag, or a text between two tags. A mail to read
/// has a few hundred.
const MOST_OF_A_TEXT: u64 = 100_000;

/// So many bytes cost as much as a step when a value is copied or written in another form.
const BYTES_PER_STEP: u64 = 1024;

/// So many bytes cost as much as a step when a built-in helper compares two values.
const COMPARED_PER_STEP: u64 = 32 * 1024;

/// The name of the call that takes fuel; no helper that an author could call.
const STEP: &str = "step";

/// The template with the calls that take fuel. `None` if the engine does not know how to
/// make one, which cannot be.
pub(super) fn metered(template: &Template) -> Option<Template> {
    let mut template = template.clone();
    add_steps(&mut template)?;
    Some(template)
}

fn add_steps(template: &mut Template) -> Option<()> {
    let mut cost = Cost::default();
    for element in &mut template.elements {
        // What is no tag costs a step as well.
        cost.steps += 1;
        match element {
            TemplateElement::Expression(tag) | TemplateElement::HtmlExpression(tag) => {
                cost.add_tag(tag);
            }
            TemplateElement::HelperBlock(block) => {
                cost.add_tag(block);
                let inner = [&mut block.template, &mut block.inverse];
                for inner in inner.into_iter().flatten() {
                    add_steps(inner)?;
                }
            }
            _ => {}
        }
    }
    // An empty block costs as well: it is gone through all the same.
    let Cost {
        steps,
        comparisons,
        paths,
    } = cost;
    let step = format!("{{{{{STEP} {} {comparisons} {paths}}}}}", steps + 1);
    let step = Template::compile(&step).ok()?;
    template.elements.splice(0..0, step.elements);
    template.mapping.splice(0..0, step.mapping);
    Some(())
}

/// What going once through a block costs, apart from the blocks within it.
#[derive(Default)]
struct Cost {
    steps: usize,
    /// Calls that compare what they are given.
    comparisons: usize,
    /// Names that are looked up.
    paths: usize,
}

impl Cost {
    fn add_tag(&mut self, tag: &HelperTemplate) {
        if catalog::compares(tag.name.as_name().unwrap_or_default()) {
            self.comparisons += 1;
        }
        let parameters = [&tag.name].into_iter().chain(&tag.params);
        for parameter in parameters.chain(tag.hash.values()) {
            self.add_parameter(parameter);
        }
    }

    fn add_parameter(&mut self, parameter: &Parameter) {
        self.steps += 1;
        match parameter {
            Parameter::Path(path) => {
                self.paths += 1;
                // A name that stands for nothing is looked up once more for each of its owners.
                let (parts, text) = parts(path);
                self.steps += parts * text.len() / 64;
            }
            Parameter::Literal(value) => {
                self.steps += usize::try_from(size(value) / BYTES_PER_STEP).unwrap_or(usize::MAX);
            }
            Parameter::Subexpression(call) => {
                if let TemplateElement::Expression(tag) = call.as_element() {
                    self.add_tag(tag);
                }
            }
            _ => {}
        }
    }
}

/// How many parts a name has, and the name as it is written.
pub(super) fn parts(path: &Path) -> (usize, &str) {
    match path {
        Path::Relative((parts, text)) => (parts.len(), text),
        Path::Local((_, _, text)) => (1, text),
    }
}

/// The tank: filled once, for the texts of a mail or of a request.
#[derive(Debug)]
pub(super) struct Fuel {
    left: AtomicU64,
    left_of_text: AtomicU64,
    /// The steps that a comparison of all variables costs.
    per_comparison: AtomicU64,
    /// The bytes that are copied to look up a name, the most so far.
    per_path: AtomicU64,
}

impl Fuel {
    pub(super) fn new(steps: u64) -> Self {
        Self {
            left: AtomicU64::new(steps),
            left_of_text: AtomicU64::new(0),
            per_comparison: AtomicU64::new(0),
            per_path: AtomicU64::new(0),
        }
    }

    /// Another text is going to be rendered, with variables of this [`size`].
    pub(super) fn begin_text(&self, variables: u64) {
        self.left_of_text.store(MOST_OF_A_TEXT, Ordering::Relaxed);
        let per_comparison = 1 + variables / COMPARED_PER_STEP;
        self.per_comparison.store(per_comparison, Ordering::Relaxed);
        self.per_path.store(0, Ordering::Relaxed);
    }

    /// Nothing is left, whatever is to be rendered next.
    pub(super) fn is_empty(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// False if so much is not left.
    pub(super) fn take(&self, steps: u64) -> bool {
        [&self.left, &self.left_of_text]
            .into_iter()
            .all(|tank| taken(tank, steps))
    }

    /// The same for what is no part of rendering a text.
    pub(super) fn take_whole(&self, steps: u64) -> bool {
        taken(&self.left, steps)
    }

    /// Takes what a rendering costs beside its steps.
    pub(super) fn take_bytes(&self, bytes: u64) -> Result<(), RenderError> {
        self.take_or_fail(bytes / BYTES_PER_STEP)
    }

    pub(super) fn take_or_fail(&self, steps: u64) -> Result<(), RenderError> {
        if self.take(steps) {
            return Ok(());
        }
        let reason = "the template takes too long; it loops over too much".to_owned();
        Err(RenderErrorReason::Other(reason).into())
    }

    pub(super) fn install<'rc>(&'rc self, context: &mut RenderContext<'_, 'rc>) {
        context.register_local_helper(STEP, Box::new(Step(self)));
    }

    /// What a block costs. `context` is that of the block: its own path or value is copied for
    /// each name within it, and the names of blocks around it cost no more than the most that
    /// a name has cost so far.
    fn take_block(
        &self,
        [steps, comparisons, paths]: [u64; 3],
        context: &RenderContext<'_, '_>,
    ) -> Result<(), RenderError> {
        let per_path = context.block().map_or(0, |block| {
            let path = block.base_path().iter().map(|name| 24 + bytes(name.len()));
            path.sum::<u64>() + block.base_value().map_or(0, size)
        });
        let per_path = per_path.max(self.per_path.fetch_max(per_path, Ordering::Relaxed));
        let copied = per_path.saturating_mul(paths.saturating_add(2));
        let compared = comparisons.saturating_mul(self.per_comparison.load(Ordering::Relaxed));
        self.take_or_fail(steps.saturating_add(compared))?;
        self.take_bytes(copied)
    }
}

/// Takes from a tank; what is left is nothing if that is too much.
fn taken(tank: &AtomicU64, steps: u64) -> bool {
    let take = |left: u64| Some(left.saturating_sub(steps));
    let before = tank.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
    before.is_ok_and(|left| left >= steps)
}

struct Step<'a>(&'a Fuel);

impl HelperDef for Step<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        context: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        let number = |index| {
            let number = helper.param(index).and_then(|param| param.value().as_u64());
            number.unwrap_or(u64::MAX)
        };
        self.0
            .take_block([number(0), number(1), number(2)], context)
    }
}

/// About how many bytes of memory a copy of the value takes.
pub(super) fn size(value: &Json) -> u64 {
    match value {
        Json::Null | Json::Bool(_) => 32,
        Json::Number(_) => 64,
        Json::String(text) => 32 + bytes(text.len()),
        Json::Array(elements) => 32 + elements.iter().map(size).sum::<u64>(),
        Json::Object(members) if members.is_empty() => 32,
        // The map has room for eleven members at once.
        Json::Object(members) => {
            640 + members
                .iter()
                .map(|(name, value)| bytes(name.len()) + size(value))
                .sum::<u64>()
        }
    }
}

pub(super) fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
