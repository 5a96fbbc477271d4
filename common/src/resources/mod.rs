//! What clients create, change and delete, without HTTP: how requests are read and refused,
//! and the operations on each noun.

mod error;
pub mod event_types;
pub mod field;
pub mod input;
mod patch;
mod problem;

pub use error::ResourceError;
pub use patch::PatchKind;
pub use problem::{Collector, Errors, General, Prefix};
