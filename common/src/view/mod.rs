//! Things as clients and templates see them: JSON, members sorted, absent ones left out.
//!
//! The API answers with these, and the templates of emails get the same, except that
//! there an absent member exists as null, so that naming it is no mistake.

mod action;
mod application;
mod explanation;
mod tenant;
mod user;
mod user_action;

pub use action::{ActionView, EventView, HistoryItemView, HistoryView, MailView, UserActionEvent};
pub use application::application;
pub use tenant::tenant;
pub use user::{registered_user, registration, user};
pub use user_action::user_action;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// What becomes of members that have no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// Left out, as the API does.
    Omit,
    /// Null, as templates need it.
    Null,
}

/// An object as its JSON text: free data of clients is passed on without being parsed, which
/// would take a hundred times as much memory.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct View(Box<RawValue>);

impl View {
    /// What writes itself.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        // Only maps with keys that are no strings fail, and no view has one.
        Self(to_raw_value(value).unwrap_or_default())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The object parsed, for templates and patches. Null if it is nested more deeply than
    /// anything that the API lets in.
    #[must_use]
    pub fn into_value(self) -> Value {
        serde_json::from_str(self.as_str()).unwrap_or_default()
    }
}

/// Collects the members of a JSON object.
#[derive(Debug)]
pub struct Members {
    members: BTreeMap<String, Box<RawValue>>,
    absent: Absent,
}

impl Members {
    /// An empty object.
    #[must_use]
    pub fn new(absent: Absent) -> Self {
        Self {
            members: BTreeMap::new(),
            absent,
        }
    }

    /// Starts from an object of the client's.
    #[must_use]
    pub fn from_map(map: &Map<String, Value>, absent: Absent) -> Self {
        let members = map.iter();
        members.fold(Self::new(absent), |all, (name, value)| {
            all.with(name, value)
        })
    }

    /// A member that is always there.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // Only maps with keys that are no strings fail, and there are none here.
        let value = to_raw_value(&value).unwrap_or_default();
        self.members.insert(name.to_owned(), value);
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
    pub fn done(self) -> View {
        View::of(&self.members)
    }
}
