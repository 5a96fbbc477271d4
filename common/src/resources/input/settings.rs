//! Members that are kept as they come, beside free data: how many there may be.

use serde_json::{Map, Value};

use super::object::Object;
use crate::resources::problem::Prefix;

/// Bytes of them. They are parsed whenever the object is read, which takes up to a hundred
/// times as much memory.
const MOST_BYTES: usize = 64 * 1024;

impl Object<'_> {
    /// Refuses settings that take too much, all parts of them together.
    pub fn limit_settings(&self, wrapper: &str, parts: &[&Map<String, Value>]) {
        let size =
            |part: &&Map<String, Value>| serde_json::to_vec(part).map_or(0, |text| text.len());
        let bytes: usize = parts.iter().map(size).sum();
        if bytes > MOST_BYTES {
            self.errors().refuse_because(
                Prefix::TooLong,
                wrapper,
                format!("members beside `data` and `roles` take at most {MOST_BYTES} bytes"),
            );
        }
    }
}
