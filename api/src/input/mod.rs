//! Bodies of requests, and how the objects in them are read.

mod body;

use beadle_common::resources::input;
use serde_json::{Map, Value};

use crate::error::ApiError;

pub use beadle_common::resources::input::{LONGEST_NAME, Listed, Object, parse_id};
pub use body::{Body, Incoming, read_body};

/// As [`input::read_wrapped`], for what fails with a status.
///
/// # Errors
/// [`ApiError::BadRequest`] with everything that was reported, or what `read` fails with.
pub fn read_wrapped<T>(
    members: &Map<String, Value>,
    wrapper: &str,
    read: impl FnOnce(&Object<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    input::read_wrapped(members, wrapper, read)
}
