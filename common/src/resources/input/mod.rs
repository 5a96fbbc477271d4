//! Reading of requests: JSON objects whose members are asked for one by one.
//!
//! A body is not deserialized into a struct, because that stops at the first mistake,
//! and an answer has to name all of them. [`Object`] reports each into a shared
//! [`Collector`](super::Collector) with the path of the member, and reading goes on.

mod decimal;
mod email;
mod localized;
mod object;
#[cfg(test)]
mod object_tests;
mod own;
mod settings;
pub mod shape;

pub use object::{Listed, Object, parse_id, read_wrapped};
pub use own::keep_own;

/// Longest name or code: what fits an index of most databases.
pub const LONGEST_NAME: usize = 191;
