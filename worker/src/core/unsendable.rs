//! Why a delivery is not even tried.

use beadle_common::seal::SealError;

use super::outcome::{ErrorClass, Failure};

/// Why a delivery cannot be sent at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsendable {
    /// Its receiver or what it delivers is gone.
    Gone,
    /// It cannot be made ready; trying again changes nothing.
    Broken(Failure),
    /// It cannot be made ready now, for a reason that an operator can mend.
    NotNow(Failure),
    /// It could be sent, but must not be.
    Unwanted(Failure),
}

impl Unsendable {
    /// Something that is stored cannot be used, and will not be usable later.
    pub(crate) fn broken(message: &str) -> Self {
        Self::Broken(Failure::new(ErrorClass::Unknown, message))
    }

    /// A secret cannot be opened. A missing key can be put back; a damaged secret stays damaged.
    pub(crate) fn sealed(what: &str, error: &SealError) -> Self {
        let failure = Failure::new(ErrorClass::Unknown, format!("{what}: {error}"));
        match error {
            SealError::UnknownKey => Self::NotNow(failure),
            _ => Self::Broken(failure),
        }
    }
}
