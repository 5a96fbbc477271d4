//! The helpers that templates may call beside Handlebars' own.
//!
//! Every helper is a function of its arguments and, for some, of the reader's
//! languages and time zone. None reads a file, the environment or the network,
//! and none writes to the log.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, PathAndJson, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value as Json;

use super::arguments::{
    Options, capitalized, decimal, duration_of, form, member, millis, one, percent_encoded, style,
    text,
};
use super::audience::Audience;
use super::fuel::{self, Fuel};
use super::number;
use super::output::LONGEST_TEXT;
use super::template_error::unknown_name;
use super::time::{self, Precision};

/// May be given a name that does not exist; those outside `#each` and outside free-form
/// members were refused before rendering.
const MAY_MISS: [&str; 2] = ["default", "lookup"];
/// Look up how a language writes something.
const FORMATS: [&str; 5] = ["date", "datetime", "duration", "number", "plural"];
/// Steps that take as long as one of those.
const FORMATTING: u64 = 20;

/// Registers what is the same for every rendering.
pub(super) fn register(handlebars: &mut Handlebars<'static>) {
    for unavailable in ["log", "raw"] {
        handlebars.unregister_helper(unavailable);
    }
    handlebars.register_helper("helperMissing", Box::new(Absent));
}

/// Registers, for one rendering, the helpers that give a value.
pub(super) fn register_for<'rc>(
    reader: &'rc Audience,
    fuel: &'rc Fuel,
    context: &mut RenderContext<'_, 'rc>,
) {
    fuel.install(context);
    register_texts(fuel, context);
    register_formats(reader, fuel, context);
}

fn register_texts<'rc>(fuel: &'rc Fuel, context: &mut RenderContext<'_, 'rc>) {
    add(context, fuel, "upper", |values, _| {
        text(values).map(|text| text.to_uppercase().into())
    });
    add(context, fuel, "lower", |values, _| {
        text(values).map(|text| text.to_lowercase().into())
    });
    add(context, fuel, "capitalize", |values, _| {
        text(values).map(|text| capitalized(&text).into())
    });
    add(context, fuel, "trim", |values, _| {
        text(values).map(|text| text.trim().into())
    });
    add(context, fuel, "url", |values, _| {
        text(values).map(|text| percent_encoded(&text).into())
    });
    add(context, fuel, "json", |values, _| {
        one(values).map(|value| value.to_string().into())
    });
    // The first of its arguments that says something.
    add(context, fuel, "default", |values, _| {
        let says_something = |value: &&&Json| !value.is_null() && value.as_str() != Some("");
        let value = values.iter().find(says_something);
        Ok(value.map(|value| Json::clone(value)).unwrap_or_default())
    });
    add(context, fuel, "lookup", |values, _| {
        let [owner, name] = values else {
            return Err(format!("takes two values, not {}", values.len()));
        };
        Ok(member(owner, name).cloned().unwrap_or_default())
    });
}

fn register_formats<'rc>(
    reader: &'rc Audience,
    fuel: &'rc Fuel,
    context: &mut RenderContext<'_, 'rc>,
) {
    let instant = |precision| {
        move |values: &[&Json], options: &Options<'_>| {
            let style = style(options)?;
            let millis = one(values).and_then(millis)?;
            let written = millis.and_then(|millis| {
                time::written(millis, precision, style, reader.zone(), reader.languages())
            });
            Ok(written.unwrap_or_default().into())
        }
    };
    add(context, fuel, "date", instant(Precision::Day));
    add(context, fuel, "datetime", instant(Precision::Minute));
    add(context, fuel, "duration", |values, _| {
        let words = duration_of(values)?
            .map(|span| span.written(reader.zone().time_zone(), reader.languages()));
        Ok(words.unwrap_or_default().into())
    });
    add(context, fuel, "number", |values, _| {
        let number = decimal(one(values)?)?;
        let written = number.map(|number| number::written(&number, reader.languages()));
        Ok(written.unwrap_or_default().into())
    });
    add(context, fuel, "plural", |values, options| {
        let number = decimal(one(values)?)?;
        let category = number.map(|number| number::category(&number, reader.text()));
        Ok(category.map_or(Json::Null, |category| form(category, options)))
    });
}

type Answer = Result<Json, String>;

fn add<'rc>(
    context: &mut RenderContext<'_, 'rc>,
    fuel: &'rc Fuel,
    name: &str,
    apply: impl Fn(&[&Json], &Options<'_>) -> Answer + Send + Sync + 'rc,
) {
    context.register_local_helper(name, Box::new(Value { fuel, apply }));
}

/// A helper that is a function of its arguments and options.
struct Value<'f, F> {
    fuel: &'f Fuel,
    apply: F,
}

impl<F: Fn(&[&Json], &Options<'_>) -> Answer> HelperDef for Value<'_, F> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        variables: &'rc Context,
        context: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let name = helper.name();
        let arguments = || helper.params().iter().chain(helper.hash().values());
        if !MAY_MISS.contains(&name) {
            for argument in arguments().filter(|argument| argument.is_value_missing()) {
                refuse_unless_below_null(argument_name(argument), variables, context)?;
            }
        }
        if FORMATS.contains(&name) {
            self.fuel.take_or_fail(FORMATTING)?;
        }
        // Paid before the work: some helpers go through all that they are given.
        let given = arguments().map(|argument| fuel::size(argument.value()));
        self.fuel.take_bytes(given.sum())?;
        let fault = |reason| RenderErrorReason::Other(format!("the helper `{name}` {reason}"));
        let values: Vec<&Json> = helper.params().iter().map(PathAndJson::value).collect();
        let result = (self.apply)(&values, helper.hash()).map_err(fault)?;
        // Other results are copies of what was given.
        if result
            .as_str()
            .is_some_and(|text| text.len() > LONGEST_TEXT)
        {
            let reason = format!("gives more than {LONGEST_TEXT} bytes");
            return Err(fault(reason).into());
        }
        self.fuel.take_bytes(fuel::size(&result))?;
        Ok(ScopedJson::Derived(result))
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
