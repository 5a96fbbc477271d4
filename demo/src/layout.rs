//! How text and JSON are laid out. Pure functions; [`crate::print`] writes.

use std::time::Duration;

use serde_json::Value;

/// Columns of prose and of JSON.
pub(crate) const WIDTH: usize = 88;

/// Texts longer than this are cut, since the demo shows what they are about, not all of it.
const LONGEST_TEXT: usize = 64;

const INDENT: usize = 2;

/// Breaks a text into lines of [`WIDTH`] columns at most, indentation included.
pub(crate) fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let length = indent + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH {
            lines.push(indented(indent, &std::mem::take(&mut line)));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(indented(indent, &line));
    lines
}

/// A time in milliseconds.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

pub(crate) fn indented(indent: usize, text: &str) -> String {
    format!("{:indent$}{text}", "")
}

/// A text with an ellipsis for what is too much.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// JSON in as few lines as fit: what fits in one line stands in one.
pub(crate) fn json(value: &Value, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    lay_out(value, indent, "", "", &mut lines);
    lines
}

fn lay_out(value: &Value, indent: usize, before: &str, after: &str, lines: &mut Vec<String>) {
    let one_line = format!("{before}{}{after}", compact(value));
    if indent + one_line.chars().count() <= WIDTH {
        lines.push(indented(indent, &one_line));
        return;
    }
    match value {
        // A wrapper shares its lines with what it wraps.
        Value::Object(members) if members.len() == 1 => {
            for (name, member) in members {
                let before = format!("{before}{{{}: ", Value::from(name.as_str()));
                lay_out(member, indent, &before, &format!("}}{after}"), lines);
            }
        }
        Value::Object(members) => {
            lines.push(indented(indent, &format!("{before}{{")));
            for (index, (name, member)) in members.iter().enumerate() {
                let comma = comma_after(index, members.len());
                let name = format!("{}: ", Value::from(name.as_str()));
                lay_out(member, indent + INDENT, &name, comma, lines);
            }
            lines.push(indented(indent, &format!("}}{after}")));
        }
        Value::Array(elements) => {
            lines.push(indented(indent, &format!("{before}[")));
            for (index, element) in elements.iter().enumerate() {
                let comma = comma_after(index, elements.len());
                lay_out(element, indent + INDENT, "", comma, lines);
            }
            lines.push(indented(indent, &format!("]{after}")));
        }
        Value::String(text) => {
            let around = indent + before.chars().count() + after.len() + 2;
            let room = WIDTH.saturating_sub(around + escapes(text)).max(1);
            let text = Value::from(shortened(text, room.min(LONGEST_TEXT)));
            lines.push(indented(indent, &format!("{before}{text}{after}")));
        }
        _ => lines.push(indented(indent, &one_line)),
    }
}

/// How many characters JSON adds, at most, to what will be shown of a text.
fn escapes(text: &str) -> usize {
    let escaped = |char: &char| matches!(char, '"' | '\\' | '\n' | '\r' | '\t');
    text.chars().take(LONGEST_TEXT).filter(escaped).count()
}

fn comma_after(index: usize, length: usize) -> &'static str {
    if index + 1 < length { "," } else { "" }
}

/// JSON in one line, with long texts cut.
pub(crate) fn compact(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), compact(value))
            };
            let members: Vec<String> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(compact).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::String(text) => Value::from(shortened(text, LONGEST_TEXT)).to_string(),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_in_a_line_stands_in_one() {
        let small = json!({"a": [1, 2], "b": {"c": "d"}});
        assert_eq!(json(&small, 2), [r#"  {"a": [1, 2], "b": {"c": "d"}}"#]);
    }

    #[test]
    fn what_does_not_fit_is_broken_at_the_outermost_level() {
        let long = "x".repeat(40);
        let value = json!({"a": {"b": long, "c": [1, 2]}, "d": long});
        let expected = [
            "{".to_owned(),
            format!(r#"  "a": {{"b": "{long}", "c": [1, 2]}},"#),
            format!(r#"  "d": "{long}""#),
            "}".to_owned(),
        ];
        assert_eq!(json(&value, 0), expected);
    }

    #[test]
    fn a_wrapper_shares_its_lines_with_what_it_wraps() {
        let long = "x".repeat(60);
        let value = json!({"user": {"a": long, "b": long}});
        let expected = [
            r#"{"user": {"#.to_owned(),
            format!(r#"  "a": "{long}","#),
            format!(r#"  "b": "{long}""#),
            "}}".to_owned(),
        ];
        assert_eq!(json(&value, 0), expected);
    }

    #[test]
    fn a_text_that_is_too_long_for_its_line_is_cut_to_fit() {
        let value = json!({"a_name_that_takes_its_room": "\n\"".repeat(50)});
        let lines = json(&value, 7);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].chars().count() <= WIDTH, "{}", lines[0]);
        assert!(lines[0].ends_with("…\"}"), "{}", lines[0]);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("äöüß", 4), "äöüß");
        assert_eq!(shortened("äöüßx", 4), "äöü…");
    }

    #[test]
    fn prose_stays_within_the_width() {
        let text = "word ".repeat(60);
        let lines = wrapped(&text, 3);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert!(lines.iter().all(|line| line.starts_with("   word")));
        assert_eq!(lines.join(" ").split_whitespace().count(), 60);
    }
}
