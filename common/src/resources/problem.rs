//! The errors object: what is wrong with a request, all of it at once.
//!
//! A code is `[prefix]path` for a member of the request and `[Prefix]` for the request
//! as a whole. Clients act on codes, so a code never changes its meaning; messages are
//! for people and may. Which HTTP status goes with it is for others to decide.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What is wrong with one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// A required text is empty or missing.
    Blank,
    /// Something required, other than a text, is missing.
    Missing,
    /// A unique value is already in use.
    Duplicate,
    /// Refers to nothing, or has a value that is not permitted here.
    Invalid,
    /// A part of the URL is not of the right type.
    CouldNotConvert,
    /// A member of the body is not of the right type.
    InvalidJson,
    /// Cannot be deleted, because something refers to it.
    InUse,
    /// Has more characters than fit.
    TooLong,
    /// Has fewer characters than are safe.
    TooShort,
    /// Has more elements than fit.
    TooMany,
    /// Is no email address.
    NotEmail,
    /// Refers to something that has been deactivated.
    Inactive,
    /// Is not for this key to say.
    NotAllowed,
}

impl Prefix {
    fn text(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::CouldNotConvert => "couldNotConvert",
            Self::InvalidJson => "invalidJSON",
            Self::InUse => "inUse",
            Self::TooLong => "tooLong",
            Self::TooShort => "tooShort",
            Self::TooMany => "tooMany",
            Self::NotEmail => "notEmail",
            Self::Inactive => "inactive",
            Self::NotAllowed => "notAllowed",
        }
    }

    /// The whole code. An unreadable member has always been reported without its path.
    fn code(self, path: &str) -> String {
        match self {
            Self::InvalidJson => format!("[{}]", self.text()),
            _ => format!("[{}]{path}", self.text()),
        }
    }

    fn default_message(self, path: &str) -> String {
        match self {
            Self::Blank => format!("`{path}` is blank, give it a text"),
            Self::Missing => format!("`{path}` is missing, it is required"),
            Self::Duplicate => format!("`{path}` is already in use, choose another"),
            Self::Invalid => {
                format!("`{path}` has a value that is not permitted or refers to nothing")
            }
            Self::CouldNotConvert => format!("`{path}` cannot be read, check its type"),
            Self::InvalidJson => format!("`{path}` cannot be read, check its type"),
            Self::InUse => format!("`{path}` is in use, remove what refers to it first"),
            Self::TooLong => format!("`{path}` is too long, shorten it"),
            Self::TooShort => format!("`{path}` is too short, lengthen it"),
            Self::TooMany => format!("`{path}` has too many elements, leave some out"),
            Self::NotEmail => {
                format!("`{path}` is no email address, write one such as reader@example.com")
            }
            Self::Inactive => format!("`{path}` is inactive, reactivate it first"),
            Self::NotAllowed => format!("`{path}` is not for this API key to set, leave it out"),
        }
    }
}

/// What is wrong with a request as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum General {
    /// There is no JSON body.
    Missing,
    /// The body is not JSON.
    InvalidJson,
    /// A `test` operation of a JSON Patch does not hold.
    JsonPatchTestFailed,
    /// The media type of a PATCH is none that is understood.
    PatchNotSupported,
    /// Several tenants exist, and the request names none.
    TenantIdRequired,
}

impl General {
    fn code(self) -> &'static str {
        match self {
            Self::Missing => "[missing]",
            Self::InvalidJson => "[invalidJSON]",
            Self::JsonPatchTestFailed => "[JSONPatchTestFailed]",
            Self::PatchNotSupported => "[PatchNotSupported]",
            Self::TenantIdRequired => "[TenantIdRequired]",
        }
    }

    fn default_message(self) -> &'static str {
        match self {
            Self::Missing => {
                "there is no JSON body, send one with the content type application/json"
            }
            Self::InvalidJson => "the body is not JSON, check its syntax",
            Self::JsonPatchTestFailed => {
                "a test operation of the patch does not hold, fetch the object again"
            }
            Self::PatchNotSupported => {
                "the content type is none of application/json, application/merge-patch+json and application/json-patch+json"
            }
            Self::TenantIdRequired => {
                "there are several tenants, name one in the header X-FusionAuth-TenantId"
            }
        }
    }
}

/// Members that are reported at most: an answer must not be many times its request.
const MOST_FIELDS: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    code: String,
    message: String,
}

impl Problem {
    fn to_json(&self) -> Value {
        json!({"code": self.code, "message": self.message})
    }
}

/// What has been found wrong so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors {
    fields: BTreeMap<String, Vec<Problem>>,
    general: Vec<Problem>,
}

impl Errors {
    /// One problem with the request as a whole.
    #[must_use]
    pub fn general(problem: General) -> Self {
        Self::general_because(problem, problem.default_message())
    }

    /// As [`Errors::general`], in words that say more about this case.
    #[must_use]
    pub fn general_because(problem: General, message: impl Into<String>) -> Self {
        Self::general_code(problem.code(), message)
    }

    /// One problem that has its own status.
    #[must_use]
    pub fn general_code(code: &str, message: impl Into<String>) -> Self {
        Self {
            fields: BTreeMap::new(),
            general: vec![Problem {
                code: code.to_owned(),
                message: message.into(),
            }],
        }
    }

    /// One problem with one member or parameter.
    #[must_use]
    pub fn field(prefix: Prefix, path: &str) -> Self {
        let mut errors = Self::default();
        errors.add(prefix, path, prefix.default_message(path));
        errors
    }

    /// Adds a problem. The same code is not reported twice for a member, and nobody reads
    /// hundreds of them.
    pub fn add(&mut self, prefix: Prefix, path: &str, message: String) {
        if self.fields.len() >= MOST_FIELDS && !self.fields.contains_key(path) {
            return;
        }
        let code = prefix.code(path);
        let problems = self.fields.entry(path.to_owned()).or_default();
        if problems.iter().all(|problem| problem.code != code) {
            problems.push(Problem { code, message });
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.general.is_empty()
    }

    /// The body of the answer: both members are there even when empty, because clients
    /// read them without a look.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let list = |problems: &[Problem]| problems.iter().map(Problem::to_json).collect::<Value>();
        let fields: serde_json::Map<_, _> = self
            .fields
            .iter()
            .map(|(path, problems)| (path.clone(), list(problems)))
            .collect();
        json!({"fieldErrors": fields, "generalErrors": list(&self.general)})
    }
}

/// Collects what is wrong while a request is read and checked. Shared by the readers of
/// nested objects, which is why adding needs no exclusive access.
#[derive(Debug, Default)]
pub struct Collector {
    errors: RefCell<Errors>,
    of_query: bool,
}

impl Collector {
    /// Nothing is wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for parameters: one of the wrong type was never JSON, and is reported as
    /// `[couldNotConvert]`.
    #[must_use]
    pub fn of_query() -> Self {
        Self {
            of_query: true,
            ..Self::default()
        }
    }

    /// Reports a member.
    pub fn refuse(&self, prefix: Prefix, path: &str) {
        self.refuse_because(prefix, path, prefix.default_message(path));
    }

    /// Reports a member, in words that say more about this case.
    pub fn refuse_because(&self, prefix: Prefix, path: &str, message: impl Into<String>) {
        let prefix = match prefix {
            Prefix::InvalidJson if self.of_query => Prefix::CouldNotConvert,
            prefix => prefix,
        };
        self.errors.borrow_mut().add(prefix, path, message.into());
    }

    /// Whether nothing has been reported for `path`.
    #[must_use]
    pub fn accepts(&self, path: &str) -> bool {
        !self.errors.borrow().fields.contains_key(path)
    }

    /// Lets the request pass if nothing is wrong with it.
    ///
    /// # Errors
    /// Everything that was reported.
    pub fn finish(self) -> Result<(), Errors> {
        let errors = self.errors.into_inner();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_members_are_sent_even_when_empty() {
        assert_eq!(
            Errors::default().to_json().to_string(),
            r#"{"fieldErrors":{},"generalErrors":[]}"#
        );
    }

    #[test]
    fn a_member_may_have_several_problems_but_each_once() {
        let collector = Collector::new();
        collector.refuse(Prefix::Blank, "user.email");
        collector.refuse(Prefix::NotEmail, "user.email");
        collector.refuse(Prefix::Blank, "user.email");
        let Err(errors) = collector.finish() else {
            panic!("problems were reported");
        };
        let json = errors.to_json();
        let codes: Vec<_> = json["fieldErrors"]["user.email"]
            .as_array()
            .unwrap()
            .iter()
            .map(|problem| problem["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["[blank]user.email", "[notEmail]user.email"]);
    }

    #[test]
    fn an_unreadable_member_has_a_code_without_path() {
        let json = Errors::field(Prefix::InvalidJson, "user.timezone").to_json();
        assert_eq!(
            json["fieldErrors"]["user.timezone"][0]["code"],
            "[invalidJSON]"
        );
    }

    #[test]
    fn an_unreadable_parameter_was_never_json() {
        let collector = Collector::of_query();
        collector.refuse(Prefix::InvalidJson, "start");
        collector.refuse(Prefix::Invalid, "orderBy");
        let Err(errors) = collector.finish() else {
            panic!("problems were reported");
        };
        let json = errors.to_json();
        let code = |path: &str| json["fieldErrors"][path][0]["code"].clone();
        assert_eq!(code("start"), "[couldNotConvert]start");
        assert_eq!(code("orderBy"), "[invalid]orderBy");
    }
}
