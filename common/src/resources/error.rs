//! [`ResourceError`]: why an operation is refused, or how it fails.

use std::error::Error as StdError;
use std::sync::Arc;

use super::problem::{Errors, General, Prefix};
use crate::db::{DbError, QueryError};

/// Why an operation is refused, or how it fails.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResourceError {
    /// Something is wrong with what was asked for.
    #[error("the request is not valid")]
    Invalid(Errors),
    /// There is nothing with this Id, or nothing that the actor may see.
    #[error("there is no such object")]
    NotFound,
    /// Another change came in between; doing the same again may succeed.
    #[error("another change came in between")]
    Conflict,
    /// What a patch would make is too large.
    #[error("the document is larger than {limit} bytes")]
    TooLarge {
        /// The most that it may have.
        limit: usize,
    },
    /// The database cannot be used right now.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A fault that is not the caller's.
    #[error("an internal error")]
    Internal(#[source] Arc<dyn StdError + Send + Sync>),
}

impl ResourceError {
    /// A fault that is not the caller's.
    pub fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let error: Box<dyn StdError + Send + Sync> = error.into();
        Self::Internal(error.into())
    }

    /// Refuses for one member or parameter.
    #[must_use]
    pub fn field(prefix: Prefix, path: &str) -> Self {
        Self::Invalid(Errors::field(prefix, path))
    }

    /// Refuses the request as a whole.
    #[must_use]
    pub fn general(problem: General) -> Self {
        Self::Invalid(Errors::general(problem))
    }
}

impl From<Errors> for ResourceError {
    fn from(errors: Errors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<DbError> for ResourceError {
    /// A unique or a foreign key that fails here was checked a moment before in the same
    /// request, so somebody else's change came in between.
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(reason) => Self::Unavailable(reason),
            DbError::Locked(error) => Self::Unavailable(error.to_string()),
            DbError::Duplicate(_) | DbError::Reference(_) | DbError::Conflict(_) => Self::Conflict,
            error @ DbError::Query(_) => Self::internal(error),
        }
    }
}

impl From<QueryError> for ResourceError {
    fn from(error: QueryError) -> Self {
        DbError::from(error).into()
    }
}
