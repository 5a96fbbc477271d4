//! The errors object: what is wrong with a request, all of it at once.

pub use beadle_common::resources::{Collector, Errors, General, Prefix};
