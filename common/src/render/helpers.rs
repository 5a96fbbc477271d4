//! The helpers that templates may call beside Handlebars' own.
//!
//! Every helper is a function of its arguments and, for some, of the reader's
//! languages and time zone. None reads a file, the environment or the network,
//! and none writes to the log.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fixed_decimal::Decimal;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, PathAndJson, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value as Json;

use super::fault::unknown_name;
use super::number::{self, CATEGORIES};
use super::template::Reader;
use super::time::{self, Precision, Style};
use crate::duration::localized_duration;

/// Only make sense around a text.
const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];
/// Handlebars' own, as a block or as a value.
const COMPARISONS: [&str; 9] = ["eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not"];
/// Give a value.
const VALUES: [&str; 14] = [
    "lookup",
    "len",
    "default",
    "upper",
    "lower",
    "capitalize",
    "trim",
    "json",
    "url",
    "date",
    "datetime",
    "duration",
    "number",
    "plural",
];
/// The option that says how much of a date is spelled out.
const STYLE: &str = "style";
/// The plural category that every language has.
const OTHER: &str = "other";
/// How instants say "never".
const NEVER: i64 = i64::MAX;

pub(super) fn is_known(name: &str) -> bool {
    may_be_block(name) || VALUES.contains(&name)
}

pub(super) fn may_be_block(name: &str) -> bool {
    must_be_block(name) || COMPARISONS.contains(&name)
}

pub(super) fn must_be_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

pub(super) fn takes_option(name: &str, option: &str) -> bool {
    match name {
        "if" | "unless" => option == "includeZero",
        "date" | "datetime" => option == STYLE,
        "plural" => CATEGORIES.contains(&option),
        _ => false,
    }
}

/// The option that must be there if there are any.
pub(super) fn missing_option(name: &str, is_given: impl Fn(&str) -> bool) -> Option<&'static str> {
    (name == "plural" && !is_given(OTHER)).then_some(OTHER)
}

/// Registers what is the same for every reader.
pub(super) fn register(handlebars: &mut Handlebars<'static>) {
    for unavailable in ["log", "raw"] {
        handlebars.unregister_helper(unavailable);
    }
    let mut register =
        |name, apply: Apply| handlebars.register_helper(name, Box::new(Value(apply)));
    register("upper", |values| {
        text(values).map(|text| text.to_uppercase().into())
    });
    register("lower", |values| {
        text(values).map(|text| text.to_lowercase().into())
    });
    register("capitalize", |values| {
        text(values).map(|text| capitalized(&text).into())
    });
    register("trim", |values| text(values).map(|text| text.trim().into()));
    register("url", |values| {
        text(values).map(|text| percent_encoded(&text).into())
    });
    register("json", |values| {
        one(values).map(|value| value.to_string().into())
    });
    handlebars.register_helper("default", Box::new(Default));
    handlebars.register_helper("helperMissing", Box::new(Absent));
}

/// Registers, for one rendering, what depends on the reader.
pub(super) fn register_for<'rc>(reader: &'rc Reader, context: &mut RenderContext<'_, 'rc>) {
    let instant = |precision| {
        WithOptions(move |values: &[&Json], options: &Options<'_>| {
            let style = style(options)?;
            let millis = one(values).and_then(millis)?;
            let written = millis.and_then(|millis| {
                time::written(millis, precision, style, reader.zone(), reader.languages())
            });
            Ok(written.unwrap_or_default().into())
        })
    };
    context.register_local_helper("date", Box::new(instant(Precision::Day)));
    context.register_local_helper("datetime", Box::new(instant(Precision::Minute)));
    context.register_local_helper(
        "duration",
        Box::new(Value(|values: &[&Json]| {
            let words =
                duration_of(values)?.map(|millis| localized_duration(millis, reader.languages()));
            Ok(words.unwrap_or_default().into())
        })),
    );
    context.register_local_helper(
        "number",
        Box::new(Value(|values: &[&Json]| {
            let number = decimal(one(values)?)?;
            let written = number.map(|number| number::written(&number, reader.languages()));
            Ok(written.unwrap_or_default().into())
        })),
    );
    context.register_local_helper(
        "plural",
        Box::new(WithOptions(|values: &[&Json], options: &Options<'_>| {
            let number = decimal(one(values)?)?;
            let category = number.map(|number| number::category(&number, reader.text()));
            Ok(category.map_or(Json::Null, |category| form(category, options)))
        })),
    );
}

type Answer = Result<Json, String>;
type Apply = fn(&[&Json]) -> Answer;
/// What stands in a call as `name=value`.
type Options<'a> = BTreeMap<&'a str, PathAndJson<'a>>;

/// A helper that is a plain function of its arguments.
struct Value<F>(F);

impl<F: Fn(&[&Json]) -> Answer> HelperDef for Value<F> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        variables: &'rc Context,
        context: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        call(helper, variables, context, |values, _| (self.0)(values))
    }
}

/// The same, of a helper that has options.
struct WithOptions<F>(F);

impl<F: Fn(&[&Json], &Options<'_>) -> Answer> HelperDef for WithOptions<F> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        variables: &'rc Context,
        context: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        call(helper, variables, context, &self.0)
    }
}

fn call<'rc>(
    helper: &Helper<'rc>,
    variables: &'rc Context,
    context: &RenderContext<'_, 'rc>,
    apply: impl Fn(&[&Json], &Options<'_>) -> Answer,
) -> Result<ScopedJson<'rc>, RenderError> {
    for argument in helper.params().iter().chain(helper.hash().values()) {
        if argument.is_value_missing() {
            refuse_unless_below_null(argument_name(argument), variables, context)?;
        }
    }
    let values: Vec<&Json> = helper.params().iter().map(PathAndJson::value).collect();
    apply(&values, helper.hash())
        .map(ScopedJson::Derived)
        .map_err(|reason| {
            RenderErrorReason::Other(format!("the helper `{}` {reason}", helper.name())).into()
        })
}

/// `{{default value fallback}}`: the first of its arguments that says something.
/// The only helper that may be given a name that does not exist; those outside
/// `#each` and outside free-form members were refused before rendering.
struct Default;

impl HelperDef for Default {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let says_something = |value: &&Json| !value.is_null() && value.as_str() != Some("");
        let value = helper
            .params()
            .iter()
            .map(PathAndJson::value)
            .find(says_something);
        Ok(ScopedJson::Derived(value.cloned().unwrap_or_default()))
    }
}

/// Called by Handlebars for a name that it cannot resolve.
struct Absent;

impl HelperDef for Absent {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        variables: &'rc Context,
        context: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        refuse_unless_below_null(helper.name(), variables, context)?;
        Ok(ScopedJson::Derived(Json::Null))
    }
}

fn argument_name<'a>(argument: &'a PathAndJson<'_>) -> &'a str {
    argument.relative_path().map_or("", String::as_str)
}

/// A member of something that is absent this time is absent too; any other
/// unresolved name is a mistake.
fn refuse_unless_below_null<'rc>(
    name: &str,
    variables: &'rc Context,
    context: &RenderContext<'_, 'rc>,
) -> Result<(), RenderError> {
    let mut owner = name;
    while let Some((shorter, _)) = owner.rsplit_once(['.', '/']) {
        owner = shorter;
        // A cut within brackets or `../` leaves no path, and an owner further up decides.
        match context.evaluate(variables, owner) {
            Ok(value) if value.is_missing() => {}
            Ok(value) if value.as_json().is_null() => return Ok(()),
            Ok(_) => break,
            Err(_) => {}
        }
    }
    Err(RenderErrorReason::Other(unknown_name(name)).into())
}

fn one<'a>(values: &[&'a Json]) -> Result<&'a Json, String> {
    match values {
        [value] => Ok(value),
        _ => Err(format!("takes one value, not {}", values.len())),
    }
}

fn text<'a>(values: &[&'a Json]) -> Result<Cow<'a, str>, String> {
    match one(values)? {
        Json::Null => Ok("".into()),
        Json::String(text) => Ok(text.into()),
        Json::Bool(value) => Ok(value.to_string().into()),
        Json::Number(value) => Ok(value.to_string().into()),
        Json::Array(_) | Json::Object(_) => Err("takes a text, not a list or an object".to_owned()),
    }
}

/// Milliseconds, `None` for null.
fn millis(value: &Json) -> Result<Option<i64>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let millis = value
        .as_i64()
        .ok_or_else(|| format!("takes milliseconds as a whole number, not {}", shown(value)))?;
    Ok(Some(millis))
}

/// The length that one or two arguments give: itself, or from one instant to another.
/// `None` if one of them is absent or never.
fn duration_of(values: &[&Json]) -> Result<Option<i64>, String> {
    let known = |value| millis(value).map(|millis| millis.filter(|millis| *millis != NEVER));
    match values {
        [length] => known(length),
        [from, to] => Ok(known(from)?
            .zip(known(to)?)
            .map(|(from, to)| to.saturating_sub(from))),
        _ => Err(format!(
            "takes a length or two instants, not {} values",
            values.len()
        )),
    }
}

/// The exact number that a value holds, `None` for null.
fn decimal(value: &Json) -> Result<Option<Decimal>, String> {
    if value.is_null() {
        return Ok(None);
    }
    number::read(value)
        .map(Some)
        .ok_or_else(|| format!("takes a number, not {}", shown(value)))
}

/// The text that the call has for a plural category, else the one for all others; a call
/// without texts asks for the category's name.
fn form(category: &str, options: &Options<'_>) -> Json {
    if options.is_empty() {
        return category.into();
    }
    let form = options.get(category).or_else(|| options.get(OTHER));
    form.map(|form| form.value().clone()).unwrap_or_default()
}

/// `style="short"`, `"medium"` or `"long"`, which is the default.
fn style(options: &Options<'_>) -> Result<Style, String> {
    let Some(value) = options.get(STYLE).map(PathAndJson::value) else {
        return Ok(Style::Long);
    };
    let style = value.as_str().and_then(Style::parse);
    style.ok_or_else(|| {
        format!(
            "takes the style short, medium or long, not {}",
            shown(value)
        )
    })
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// Encodes everything but the characters that mean nothing in any part of a URL.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A value for people, who want no more than to recognise it: faults go into the event log,
/// which is no place for all that is known of a user.
fn shown(value: &Json) -> String {
    const CHARS: usize = 40;
    match value {
        Json::Object(_) => "an object".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        value => {
            let text = value.to_string();
            match text.char_indices().nth(CHARS) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        }
    }
}
