//! Why a call is refused.

use crate::db::DbError;

/// What a violation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The log that is addressed.
    ActionId,
    /// Who is acted upon.
    ActioneeUserId,
    /// Who acts.
    ActionerUserId,
    /// The definition.
    UserActionId,
    /// When the action ends.
    Expiry,
    /// The option chosen.
    Option,
    /// The reason given.
    ReasonId,
    /// One of the applications, by its position in the request.
    ApplicationId(usize),
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// It has to be given.
    Missing,
    /// It refers to nothing, or is not possible here.
    Invalid,
    /// It exists, but is switched off.
    Inactive,
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// About what.
    pub field: Field,
    /// What is wrong.
    pub problem: Problem,
    /// For people.
    pub message: String,
}

/// A call that changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The log does not exist, or not for this caller.
    #[error("the action does not exist")]
    NotFound,
    /// Broken rules, all of them at once.
    #[error("the request breaks {} rules", .0.len())]
    Invalid(Vec<Violation>),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Collects broken rules.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    pub(super) fn add(&mut self, field: Field, problem: Problem, message: impl Into<String>) {
        self.0.push(Violation {
            field,
            problem,
            message: message.into(),
        });
    }

    /// `value`, or every rule that was broken.
    pub(super) fn or<T>(self, value: Option<T>) -> Result<T, Refusal> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Refusal::Invalid(self.0)),
        }
    }
}
