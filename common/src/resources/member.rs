//! [`Member`]: one member of a noun, declared once. Its [`Field`] says what it is called, what
//! it holds and whether it is required; what it is bound to says which Rust value that is. The
//! reader of requests, the answer, the audit log and the OpenAPI document all follow it.

use super::field::{Field, Kind, Presence, shown};
use super::input::Object;
use crate::view::{Absent, Members, View};

/// Reads a member of a request into `T`.
pub type Read<T> = fn(&Object<'_>, &Field, &mut T);
/// Adds a member of `T` to an answer.
pub type Show<T> = fn(&T, &Field, Members) -> Members;

/// A member of `T`. Made with [`member!`](crate::resources::member).
#[derive(Debug)]
pub struct Member<T> {
    /// What it is called, and what it holds.
    pub field: Field,
    read: Read<T>,
    show: Show<T>,
    /// The part of it that is no secret.
    audit: Option<Show<T>>,
}

/// Binds a field to a value: `member!(row.url, required("url", Kind::Uri, "Where to."))`. A
/// field of several members is bound to those: `member!([SIGNATURE], optional(…))`.
#[macro_export]
macro_rules! member {
    ([$members:expr], $field:expr $(,)?) => {
        $crate::resources::member::Member::new(
            $field,
            |object, field, row| {
                if let Some(inner) = object.object(field.name) {
                    $crate::resources::member::read_members($members, &inner, row, true);
                }
            },
            |row, field, members| {
                members.with(field.name, $crate::resources::member::show_members($members, row))
            },
        )
    };
    ($($part:ident).+, $field:expr $(,)?) => {
        $crate::resources::member::Member::new(
            $field,
            |object, field, row| {
                row.$($part).+ = $crate::resources::member_type::MemberType::read(object, field);
            },
            |row, field, members| {
                $crate::resources::member_type::MemberType::show(&row.$($part).+, field, members)
            },
        )
    };
}
pub use crate::member;

impl<T> Member<T> {
    /// Bound by hand; see [`member!`](crate::resources::member).
    #[must_use]
    pub const fn new(field: Field, read: Read<T>, show: Show<T>) -> Self {
        Self {
            field,
            read,
            show,
            audit: None,
        }
    }

    /// One that is not stored, but follows from what is.
    #[must_use]
    pub const fn derived(field: Field, show: Show<T>) -> Self {
        Self::new(field, |_, _, _| {}, show)
    }

    /// Adds it to an answer.
    #[must_use]
    pub fn show(&self, of: &T, members: Members) -> Members {
        (self.show)(of, &self.field, members)
    }

    /// One that is asked for, and never shown.
    #[must_use]
    pub const fn request_only(field: Field, read: Read<T>) -> Self {
        Self::new(field, read, |_, _, members| members)
    }

    /// The same for what may hold a secret: the audit log has this part of it.
    #[must_use]
    pub const fn audited_as(self, show: Show<T>) -> Self {
        Self {
            audit: Some(show),
            ..self
        }
    }
}

/// Reads the members that requests may have; `is_new` says that `into` is about to be created.
/// Problems are reported to the object's collector.
pub fn read_members<T>(members: &[Member<T>], object: &Object<'_>, into: &mut T, is_new: bool) {
    for member in members {
        let field = &member.field;
        if field.given != Presence::No && (is_new || !field.at_creation) {
            (member.read)(object, field, into);
        }
    }
}

/// The object as answers have it.
#[must_use]
pub fn show_members<T>(members: &[Member<T>], of: &T) -> View {
    let empty = Members::new(Absent::Omit);
    let all = members.iter().filter(|one| one.field.shown != Presence::No);
    all.fold(empty, |view, one| one.show(of, view)).done()
}

/// The object as the audit log has it: without secrets.
#[must_use]
pub fn audit_members<T>(members: &[Member<T>], of: &T) -> View {
    let empty = Members::new(Absent::Omit);
    let add = |view, one: &Member<T>| match one.audit {
        Some(show) => show(of, &one.field, view),
        None if one.field.secret => view,
        None => one.show(of, view),
    };
    members.iter().fold(empty, add).done()
}

/// The names of secret members that differ.
#[must_use]
pub fn changed_secrets<T>(members: &[Member<T>], old: &T, new: &T) -> Vec<&'static str> {
    let value = |one: &Member<T>, of| {
        let view = one.show(of, Members::new(Absent::Omit)).done();
        view.as_str().to_owned()
    };
    let secret = members
        .iter()
        .filter(|one| one.field.secret || one.audit.is_some());
    let changed = secret.filter(|one| value(one, old) != value(one, new));
    changed.map(|one| one.field.name).collect()
}

/// The fields of these members, for a schema.
#[macro_export]
macro_rules! member_fields {
    ($members:expr) => {
        &const { $crate::resources::member::fields_of::<_, { $members.len() }>($members) }
    };
}
pub use crate::member_fields as fields;

/// The fields of `N` members; see [`member_fields!`](crate::member_fields).
#[must_use]
#[expect(clippy::indexing_slicing, reason = "a constant: it would not compile")]
pub const fn fields_of<T, const N: usize>(members: &[Member<T>]) -> [Field; N] {
    let mut fields = [shown("", Kind::Any, ""); N];
    let mut at = 0;
    while at < N {
        fields[at] = members[at].field;
        at += 1;
    }
    fields
}

/// The schema of an object with these members.
#[macro_export]
macro_rules! schema {
    ($name:literal, $about:literal, $members:expr) => {
        $crate::resources::field::Object::new(
            $name,
            $about,
            $crate::resources::member::fields!($members),
        )
    };
}
pub use crate::schema;
