//! What helpers do with their arguments.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fixed_decimal::Decimal;
use handlebars::PathAndJson;
use serde_json::Value as Json;

use super::number;
use super::time::Style;
use crate::localized_duration::Span;

/// What stands in a call as `name=value`.
pub(super) type Options<'a> = BTreeMap<&'a str, PathAndJson<'a>>;

/// The option that says how much of a date is spelled out.
pub(super) const STYLE: &str = "style";
/// The plural category that every language has.
pub(super) const OTHER: &str = "other";
/// How instants say "never".
const NEVER: i64 = i64::MAX;

pub(super) fn one<'a>(values: &[&'a Json]) -> Result<&'a Json, String> {
    match values {
        [value] => Ok(value),
        _ => Err(format!("takes one value, not {}", values.len())),
    }
}

pub(super) fn text<'a>(values: &[&'a Json]) -> Result<Cow<'a, str>, String> {
    match one(values)? {
        Json::Null => Ok("".into()),
        Json::String(text) => Ok(text.into()),
        Json::Bool(value) => Ok(value.to_string().into()),
        Json::Number(value) => Ok(value.to_string().into()),
        Json::Array(_) | Json::Object(_) => Err("takes a text, not a list or an object".to_owned()),
    }
}

/// Milliseconds, `None` for null.
pub(super) fn millis(value: &Json) -> Result<Option<i64>, String> {
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
pub(super) fn duration_of(values: &[&Json]) -> Result<Option<Span>, String> {
    let known = |value| millis(value).map(|millis| millis.filter(|millis| *millis != NEVER));
    match values {
        [length] => Ok(known(length)?.map(Span::Length)),
        [from, to] => Ok(known(from)?
            .zip(known(to)?)
            .map(|(from, to)| Span::Between(from, to))),
        _ => Err(format!(
            "takes a length or two instants, not {} values",
            values.len()
        )),
    }
}

/// The exact number that a value holds, `None` for null.
pub(super) fn decimal(value: &Json) -> Result<Option<Decimal>, String> {
    if value.is_null() {
        return Ok(None);
    }
    number::read(value)
        .map(Some)
        .ok_or_else(|| format!("takes a number, not {}", shown(value)))
}

/// The text that the call has for a plural category, else the one for all others; a call
/// without texts asks for the category's name.
pub(super) fn form(category: &str, options: &Options<'_>) -> Json {
    if options.is_empty() {
        return category.into();
    }
    let form = options.get(category).or_else(|| options.get(OTHER));
    form.map(|form| form.value().clone()).unwrap_or_default()
}

/// `style="short"`, `"medium"` or `"long"`, which is the default.
pub(super) fn style(options: &Options<'_>) -> Result<Style, String> {
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

pub(super) fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// Encodes everything but the characters that mean nothing in any part of a URL.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let hex = |digit: u8| char::from(if digit < 10 { b'0' } else { b'A' - 10 } + digit);
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            _ => encoded.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    encoded
}

/// What `{{lookup owner name}}` finds.
pub(super) fn member<'a>(owner: &'a Json, name: &Json) -> Option<&'a Json> {
    match owner {
        Json::Array(elements) => elements.get(usize::try_from(name.as_u64()?).ok()?),
        Json::Object(members) => members.get(name.as_str()?),
        _ => None,
    }
}

/// A value for people, who want no more than to recognise it: faults go into the event log,
/// which is no place for all that is known of a user.
pub(super) fn shown(value: &Json) -> String {
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
