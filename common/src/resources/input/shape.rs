//! What JSON may look like, whatever it says: how deep it is, and what stands in its texts.
//! What has passed can be stored, read again, put into an event, and walked by recursion.

use serde_json::Value;

use crate::resources::problem::{Errors, General};

/// Levels of arrays and objects, the outermost included. Readers of JSON stop at about 128,
/// and what is stored stands a few levels deeper in events and answers.
pub const DEEPEST: usize = 64;

/// Names of members by which `serde_json` passes its own types through itself. It would take
/// an object that has one for something else.
const PRIVATE: &str = "$serde_json::private::";

/// Whether a member must not be called so.
#[must_use]
pub fn is_private(name: &str) -> bool {
    name.starts_with(PRIVATE)
}

/// Refuses what is nested more deeply than [`DEEPEST`].
#[must_use]
pub fn too_deep() -> Errors {
    refused(format!(
        "the JSON is nested deeper than {DEEPEST} levels, make it flatter"
    ))
}

/// Refuses a name that [`is_private`].
#[must_use]
pub fn private_name() -> Errors {
    refused(format!(
        "names of members must not begin with `{PRIVATE}`, choose others"
    ))
}

fn refused(message: String) -> Errors {
    Errors::general_because(General::InvalidJson, message)
}

/// Looks at JSON before it is parsed: the parser follows depth by recursion, and private
/// names. What is no JSON at all is left to it.
///
/// # Errors
/// What is wrong with the shape.
pub fn check(text: &[u8]) -> Result<(), Errors> {
    let mut depth: usize = 0;
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'{' | b'[' if depth == DEEPEST => return Err(too_deep()),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let Some((string, behind)) = split_string(after) else {
                    return Ok(());
                };
                check_string(string, is_name(behind))?;
                rest = behind;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What stands before the closing quotation mark, and what after it.
fn split_string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut is_escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn is_name(behind: &[u8]) -> bool {
    let next = behind.iter().find(|byte| !byte.is_ascii_whitespace());
    next == Some(&b':')
}

fn check_string(string: &[u8], is_name: bool) -> Result<(), Errors> {
    if holds_nul(string) {
        // PostgreSQL stores none in a text, and nobody means one.
        let message = "no text may contain the character U+0000, leave it out";
        return Err(refused(message.to_owned()));
    }
    let may_be_private = is_name && matches!(string.first(), Some(b'$' | b'\\'));
    if may_be_private && unescaped(string).is_some_and(|name| is_private(&name)) {
        return Err(private_name());
    }
    Ok(())
}

fn holds_nul(string: &[u8]) -> bool {
    let mut rest = string;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = rest.get(at + 1..).unwrap_or_default();
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

fn unescaped(string: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", string, b"\""].concat()).ok()
}

/// How much there is of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// About as many bytes as its text has.
    pub bytes: usize,
    /// Levels of arrays and objects; none for anything else.
    pub depth: usize,
}

impl Extent {
    /// Without recursion, so that it is safe to ask how deep something is.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let mut extent = Self { bytes: 0, depth: 0 };
        let mut to_do = vec![(value, 0)];
        while let Some((value, above)) = to_do.pop() {
            let below = above + 1;
            extent.bytes += 1 + match value {
                Value::Null | Value::Bool(_) => 4,
                Value::Number(number) => number.as_str().len(),
                Value::String(text) => 2 + text.len(),
                Value::Array(elements) => {
                    extent.depth = extent.depth.max(below);
                    to_do.extend(elements.iter().map(|element| (element, below)));
                    1
                }
                Value::Object(members) => {
                    extent.depth = extent.depth.max(below);
                    to_do.extend(members.values().map(|member| (member, below)));
                    1 + members.keys().map(|name| 3 + name.len()).sum::<usize>()
                }
            };
        }
        extent
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn depth_is_counted_before_anything_is_parsed() {
        assert!(check(nested(DEEPEST).as_bytes()).is_ok());
        assert!(check(nested(DEEPEST + 1).as_bytes()).is_err());
        assert!(check("{\"a\":[".repeat(100_000).as_bytes()).is_err());
        // What stands beside each other is not within each other, and a text is no array.
        assert!(check(format!("[{}1]", "[],".repeat(1000)).as_bytes()).is_ok());
        assert!(check(format!("[\"{}\"]", "[\\\"[".repeat(1000)).as_bytes()).is_ok());
    }

    #[test]
    fn no_member_has_a_private_name_however_it_is_written() {
        for name in [
            "$serde_json::private::Number",
            "$serde_json::private::RawValue",
            "$serde_json::private::",
            "\\u0024serde_json\\u003a:private::Number",
        ] {
            let body = format!("{{\"a\": [{{\"{name}\"\n: \"1\"}}]}}");
            assert!(check(body.as_bytes()).is_err(), "{body}");
        }
        let as_text = r#"{"a": "$serde_json::private::Number", "$serde_json": {"\\u0024": 1}}"#;
        assert!(check(as_text.as_bytes()).is_ok());
    }

    #[test]
    fn no_text_and_no_name_contains_a_nul() {
        for body in [r#""\u0000""#, r#"{"a\u0000": 1}"#, r#"["\\\u0000"]"#] {
            assert!(check(body.as_bytes()).is_err(), "{body}");
        }
        assert!(check(br#"["\\u0000", "\u00001".length]"#).is_err());
        assert!(check(br#"["\\u0000", "u0000", "\u0001"]"#).is_ok());
    }

    #[test]
    fn what_is_no_json_is_left_to_the_parser() {
        for body in ["\"", "\"\\", "}}]]", "", "\"\\u00", "{\"a\""] {
            assert!(check(body.as_bytes()).is_ok(), "{body}");
        }
    }

    #[test]
    fn an_extent_is_about_that_of_the_text() {
        for value in [
            json!(null),
            json!("text"),
            json!({"a": [1, 2.5, {"b": true}], "c": {}}),
        ] {
            let (extent, text) = (Extent::of(&value), value.to_string());
            assert!(extent.bytes >= text.len(), "{text}");
            assert!(extent.bytes <= 2 * text.len() + 2, "{text}");
        }
        assert_eq!(Extent::of(&json!({"a": [[1], {}]})).depth, 3);
        assert_eq!(Extent::of(&json!(1)).depth, 0);
    }
}
