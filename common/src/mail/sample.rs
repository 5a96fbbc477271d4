//! What templates are tried with before anybody gets a mail: made-up people, a made-up
//! action, and every member that the schema knows.

use std::sync::LazyLock;

use serde_json::Value;

static SAMPLE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("sample.json")).unwrap_or_default());

/// The variables of a preview. What holds free data is null, which has every member that
/// somebody may put there.
#[must_use]
pub fn sample() -> &'static Value {
    &SAMPLE
}

/// The time zone of the user in the sample.
#[must_use]
pub fn sample_timezone() -> Option<&'static str> {
    SAMPLE.pointer("/user/timezone")?.as_str()
}
