//! Reading of requests: bodies as JSON objects whose members are asked for one by one.
//!
//! A body is not deserialized into a struct, because that stops at the first mistake,
//! and an answer has to name all of them. [`Object`] reports each into a shared
//! [`Collector`](crate::errors::Collector) with the path of the member, and reading goes
//! on. What the members mean, and which are required, is said beside each resource.

mod body;
mod decimal;
mod email;
mod localized;
mod object;
#[cfg(test)]
mod object_tests;
mod own;
mod settings;
pub(crate) mod shape;

pub use body::{Body, Incoming, read_body};
pub(crate) use object::parse_id;
pub use object::{Listed, Object, read_wrapped};

/// Longest name or code: what fits an index of most databases.
pub const LONGEST_NAME: usize = 191;
