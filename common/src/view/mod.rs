//! Things as clients and templates see them: JSON, members sorted, absent ones left out.
//!
//! The API answers with these, and the templates of emails get the same, except that
//! there an absent member exists as null, so that naming it is no mistake.

mod action;
mod application;
mod tenant;
mod user;
mod user_action;

pub use action::{ActionView, EventView, HistoryItemView, HistoryView, MailView, UserActionEvent};
pub use application::application;
pub use tenant::tenant;
pub use user::{registered_user, registration, user};
pub use user_action::user_action;

use serde::Serialize;
use serde_json::{Map, Value};

/// What becomes of members that have no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// Left out, as the API does.
    Omit,
    /// Null, as templates need it.
    Null,
}

/// Collects the members of a JSON object.
#[derive(Debug)]
pub struct Members {
    map: Map<String, Value>,
    absent: Absent,
}

impl Members {
    /// An empty object.
    #[must_use]
    pub fn new(absent: Absent) -> Self {
        Self {
            map: Map::new(),
            absent,
        }
    }

    /// Starts from an object of the client's.
    #[must_use]
    pub fn from_map(map: &Map<String, Value>, absent: Absent) -> Self {
        Self {
            map: map.clone(),
            absent,
        }
    }

    /// A member that is always there.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // Only maps with keys that are no strings fail, and there are none here.
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.map.insert(name.to_owned(), value);
        self
    }

    /// A member that may have no value.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<impl Serialize>) -> Self {
        match (value, self.absent) {
            (Some(value), _) => self.with(name, value),
            (None, Absent::Null) => self.with(name, Value::Null),
            (None, Absent::Omit) => self,
        }
    }

    /// The finished object.
    #[must_use]
    pub fn done(self) -> Value {
        Value::Object(self.map)
    }
}
