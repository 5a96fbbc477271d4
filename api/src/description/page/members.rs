//! Schemas as HTML: the kind of a value in a few words, and the members of an object as a
//! table.

use serde_json::Value;

use super::text::{escaped, inline};

/// Where the page shows an object that has a name.
pub(super) fn anchor(name: &str) -> String {
    format!("object-{name}")
}

/// What a value is, in a few words, with a link to what has a name.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = named(schema) {
        return format!(
            "<a href=\"#{}\">{}</a>",
            escaped(&anchor(name)),
            escaped(name)
        );
    }
    if let Some(schema) = schema.pointer("/anyOf/0") {
        return format!("{} or null", kind(schema));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words = words.iter().filter_map(Value::as_str);
        let words: Vec<String> = words
            .map(|word| format!("<code>{}</code>", escaped(word)))
            .collect();
        return words.join(", ");
    }
    let text = |member| schema.get(member).and_then(Value::as_str);
    match (text("type"), text("format")) {
        (Some("array"), _) => {
            let element = schema.get("items").map(kind).unwrap_or_default();
            format!("list of {element}")
        }
        (Some("object"), _) => map(schema),
        (Some("string"), Some("uuid")) => "UUID".to_owned(),
        (Some("string"), Some(format)) => escaped(format),
        (Some("string"), None) => "text".to_owned(),
        (Some("boolean"), _) => "yes or no".to_owned(),
        (Some("integer"), _) => "whole number".to_owned(),
        (Some(other), _) => escaped(other),
        (None, _) => "anything".to_owned(),
    }
}

fn map(schema: &Value) -> String {
    match schema.get("additionalProperties") {
        Some(values) if values.is_object() && schema.get("properties").is_none() => {
            format!("names to {}", kind(values))
        }
        _ => "object".to_owned(),
    }
}

fn named(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// A table of the members, those of objects without a name among them; or what it is
/// instead of an object.
pub(super) fn members(schema: &Value) -> String {
    let mut rows = String::new();
    add_rows(&mut rows, "", schema);
    if rows.is_empty() {
        return format!("<p>{}</p>\n", kind(schema));
    }
    table(&["member", "kind", "", "meaning"], &rows)
}

/// A table with these columns.
pub(super) fn table(columns: &[&str], rows: &str) -> String {
    let columns: String = columns
        .iter()
        .map(|column| format!("<th scope=\"col\">{column}</th>"))
        .collect();
    format!("<table><thead><tr>{columns}</tr></thead><tbody>\n{rows}</tbody></table>\n")
}

/// A row of such a table.
pub(super) fn row(name: &str, schema: &Value, is_required: bool, about: &str) -> String {
    let required = if is_required { "required" } else { "" };
    let default = match schema.get("default") {
        Some(default) => format!(" Default: <code>{}</code>.", escaped(&default.to_string())),
        None => String::new(),
    };
    format!(
        "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td class=\"quiet\">{required}</td><td>{}{default}</td></tr>\n",
        escaped(name),
        kind(schema),
        inline(about),
    )
}

fn add_rows(rows: &mut String, prefix: &str, schema: &Value) {
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let is_required = required.is_some_and(|names| names.iter().any(|it| it == name));
        let about = schema.get("description").and_then(Value::as_str);
        let path = format!("{prefix}{name}");
        rows.push_str(&row(&path, schema, is_required, about.unwrap_or_default()));
        add_rows(rows, &format!("{path}."), schema);
        if let Some(elements) = schema.get("items") {
            add_rows(rows, &format!("{path}[]."), elements);
        }
    }
}
