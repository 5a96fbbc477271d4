//! Ids that are numbers: those of the logs that count their entries.

use super::Call;
use crate::error::ApiError;
use crate::errors::Prefix;

impl Call {
    /// The number in the path.
    ///
    /// # Errors
    /// `[couldNotConvert]` if it is none, `[missing]` if nothing is there.
    pub(crate) fn required_number(&self, name: &str) -> Result<i64, ApiError> {
        match self.request().match_info().get(name) {
            None | Some("") => Err(ApiError::field(Prefix::Missing, name)),
            Some(text) => text
                .parse()
                .map_err(|_| ApiError::field(Prefix::CouldNotConvert, name)),
        }
    }
}
