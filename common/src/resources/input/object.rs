//! [`Object`]: one JSON object of a request, read member by member.

use std::str::FromStr;

use crate::db::JsonText;
use crate::unix_millis::UnixMillis;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::decimal::whole_part;
use crate::resources::problem::{Collector, Errors, Prefix};

/// Elements of a list at most. Each is checked against the others or against the
/// database, and a body has room for tens of thousands.
const MOST_ELEMENTS: usize = 1000;

/// An object of a request and where it stands in it.
///
/// Asking for a member of the wrong type reports `[invalidJSON]` and gives the same as
/// an absent one. Null is absent. Members that nobody asks for are ignored.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    path: String,
    members: &'a Map<String, Value>,
    errors: &'a Collector,
}

/// An element of a list and where it stands in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// Such as `action.applicationIds[0]`.
    pub path: String,
    /// The element.
    pub value: T,
}

impl<'a> Object<'a> {
    /// The body itself.
    #[must_use]
    pub fn root(members: &'a Map<String, Value>, errors: &'a Collector) -> Self {
        Self {
            path: String::new(),
            members,
            errors,
        }
    }

    /// Where a member stands: `userAction.options[0].name`.
    #[must_use]
    pub fn path(&self, member: &str) -> String {
        if self.path.is_empty() {
            member.to_owned()
        } else {
            format!("{}.{member}", self.path)
        }
    }

    /// Where problems are reported.
    #[must_use]
    pub fn errors(&self) -> &'a Collector {
        self.errors
    }

    /// Reports a member.
    pub fn refuse(&self, prefix: Prefix, member: &str) {
        self.errors.refuse(prefix, &self.path(member));
    }

    /// The member as it stands; null counts as absent.
    #[must_use]
    pub fn value(&self, member: &str) -> Option<&'a Value> {
        self.members.get(member).filter(|value| !value.is_null())
    }

    /// All members of this object as they stand.
    #[must_use]
    pub fn members(&self) -> &'a Map<String, Value> {
        self.members
    }

    /// The member, converted; reports one that cannot be.
    pub(super) fn converted<T>(
        &self,
        member: &str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let converted = convert(self.value(member)?);
        if converted.is_none() {
            self.refuse(Prefix::InvalidJson, member);
        }
        converted
    }

    /// An object within this one.
    #[must_use]
    pub fn object(&self, member: &str) -> Option<Self> {
        let members = self.converted(member, Value::as_object)?;
        Some(Self {
            path: self.path(member),
            members,
            errors: self.errors,
        })
    }

    /// The wrapper that a request is about, such as `userAction`.
    #[must_use]
    pub fn required_object(&self, member: &str) -> Option<Self> {
        self.required(member, Prefix::Missing, self.object(member))
    }

    /// The objects of a list. Nulls in it are dropped.
    #[must_use]
    pub fn objects(&self, member: &str) -> Vec<Self> {
        let listed = self.elements(member, Value::as_object);
        listed
            .into_iter()
            .map(|Listed { path, value }| Self {
                path,
                members: value,
                errors: self.errors,
            })
            .collect()
    }

    /// A text, trimmed. A blank one is absent.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<String> {
        // PostgreSQL stores no NUL, and nobody means one.
        let convert = |value: &'a Value| value.as_str().filter(|text| !text.contains('\0'));
        let text = self.converted(member, convert)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A text, trimmed, of at most `longest` characters.
    #[must_use]
    pub fn short_text(&self, member: &str, longest: usize) -> Option<String> {
        let text = self.text(member)?;
        if text.chars().count() > longest {
            self.refuse(Prefix::TooLong, member);
        }
        Some(text)
    }

    /// As [`Object::short_text`], for a text that must be there. Its absence is reported,
    /// and gives the empty text, so that reading can go on.
    #[must_use]
    pub fn required_text(&self, member: &str, longest: usize) -> String {
        let text = self.short_text(member, longest);
        self.required(member, Prefix::Blank, text)
            .unwrap_or_default()
    }

    /// A text with the line ends of the web, trimmed and of at most `most_bytes` bytes, for
    /// templates.
    #[must_use]
    pub fn long_text(&self, member: &str, most_bytes: usize) -> Option<String> {
        let text = unix_lines(&self.text(member)?);
        if text.len() > most_bytes {
            self.refuse(Prefix::TooLong, member);
        }
        Some(text)
    }

    /// A yes or no.
    #[must_use]
    pub fn flag(&self, member: &str, default: bool) -> bool {
        self.converted(member, Value::as_bool).unwrap_or(default)
    }

    /// A whole number; fractions are cut off, what is too large becomes the largest.
    #[must_use]
    pub fn integer(&self, member: &str) -> Option<i64> {
        self.filled(member)?;
        self.converted(member, integer)
    }

    /// An instant: milliseconds as a number, or as a text that holds one.
    #[must_use]
    pub fn instant(&self, member: &str) -> Option<UnixMillis> {
        self.integer(member).map(UnixMillis::from_millis)
    }

    /// An Id, in upper or lower case.
    #[must_use]
    pub fn id<T: From<Uuid>>(&self, member: &str) -> Option<T> {
        self.filled(member)?;
        self.converted(member, id)
    }

    /// An Id that must be there.
    #[must_use]
    pub fn required_id<T: From<Uuid>>(&self, member: &str) -> Option<T> {
        self.required(member, Prefix::Missing, self.id(member))
    }

    /// A list of Ids without nulls and repetitions.
    #[must_use]
    pub fn ids<T: From<Uuid> + PartialEq>(&self, member: &str) -> Vec<Listed<T>> {
        let mut unique: Vec<Listed<T>> = Vec::new();
        for listed in self.elements(member, id) {
            if unique.iter().all(|seen| seen.value != listed.value) {
                unique.push(listed);
            }
        }
        unique
    }

    /// One of a fixed set of words.
    #[must_use]
    pub fn choice<T: FromStr>(&self, member: &str) -> Option<T> {
        self.filled(member)?;
        self.converted(member, |value| value.as_str()?.trim().parse().ok())
    }

    /// Free data of the client.
    #[must_use]
    pub fn data(&self, member: &str) -> Map<String, Value> {
        self.converted(member, Value::as_object)
            .cloned()
            .unwrap_or_default()
    }

    /// The same as text, for what is only stored.
    #[must_use]
    pub fn data_text(&self, member: &str) -> JsonText {
        let object = self.converted(member, Value::as_object);
        object.map_or_else(JsonText::empty_object, JsonText::of)
    }

    /// The elements of a list, each converted or reported. Nulls in it are dropped.
    pub(super) fn elements<T>(
        &self,
        member: &str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Vec<Listed<T>> {
        let Some(elements) = self.converted(member, Value::as_array) else {
            return Vec::new();
        };
        if elements.len() > MOST_ELEMENTS {
            self.refuse(Prefix::TooMany, member);
            return Vec::new();
        }
        let mut listed = Vec::with_capacity(elements.len());
        for (position, element) in elements.iter().enumerate() {
            if element.is_null() {
                continue;
            }
            let path = format!("{}[{position}]", self.path(member));
            match convert(element) {
                Some(value) => listed.push(Listed { path, value }),
                None => self.errors.refuse(Prefix::InvalidJson, &path),
            }
        }
        listed
    }

    /// The member unless it is absent or a blank text, which for anything but a text
    /// means the same.
    fn filled(&self, member: &str) -> Option<&'a Value> {
        self.value(member)
            .filter(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()))
    }

    /// Reports a member that is absent, unless it is already known to be unreadable.
    fn required<T>(&self, member: &str, prefix: Prefix, given: Option<T>) -> Option<T> {
        if given.is_none() && self.errors.accepts(&self.path(member)) {
            self.refuse(prefix, member);
        }
        given
    }
}

/// Reads the object that a request is about out of its wrapper, and lets it pass if
/// nothing is wrong with it.
///
/// # Errors
/// Everything that was reported, or what `read` fails with.
pub fn read_wrapped<T, E: From<Errors>>(
    members: &Map<String, Value>,
    wrapper: &str,
    read: impl FnOnce(&Object<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let errors = Collector::new();
    let value = match Object::root(members, &errors).required_object(wrapper) {
        Some(object) => Some(read(&object)?),
        None => None,
    };
    errors.finish()?;
    value.ok_or_else(|| Errors::field(Prefix::Missing, wrapper).into())
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole_part(&number.to_string()),
        Value::String(text) => whole_part(text.trim()),
        _ => None,
    }
}

fn id<T: From<Uuid>>(value: &Value) -> Option<T> {
    parse_id(value.as_str()?.trim())
}

/// An Id in its one usual spelling; the `uuid` crate accepts others too.
pub fn parse_id<T: From<Uuid>>(text: &str) -> Option<T> {
    const HYPHENATED: usize = 36;
    (text.len() == HYPHENATED)
        .then(|| Uuid::parse_str(text).ok())
        .flatten()
        .map(T::from)
}

/// Line ends as `\n`, whatever system the text was typed on.
pub(super) fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
