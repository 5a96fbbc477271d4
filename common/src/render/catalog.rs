//! Which helpers there are, and how they may be called.

use super::arguments::{OTHER, STYLE};
use super::number::CATEGORIES;

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

pub(super) fn is_known(name: &str) -> bool {
    may_be_block(name) || VALUES.contains(&name)
}

pub(super) fn may_be_block(name: &str) -> bool {
    must_be_block(name) || COMPARISONS.contains(&name)
}

pub(super) fn must_be_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// Whether a call costs what there is to compare.
pub(super) fn compares(name: &str) -> bool {
    COMPARISONS.contains(&name)
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
