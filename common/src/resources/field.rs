//! The members of objects, as constants that stand beside the code which reads and writes
//! them.

/// What a member holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text.
    Text,
    /// A text of at most so many characters.
    ShortText(usize),
    /// A text of at most so many bytes, which no schema can say.
    LongText(usize),
    /// The address of a mailbox.
    Email,
    /// An absolute address.
    Uri,
    /// `YYYY-MM-DD`
    Date,
    /// `de`, `es_MX`
    Locale,
    /// A UUID.
    Id,
    /// Milliseconds since 1970.
    Instant,
    /// Yes or no.
    Flag,
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// Any number.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list.
    List(&'static Kind),
    /// From any names.
    Map(&'static Kind),
    /// From locales to texts.
    Localized,
    /// An object of the client's, kept as it is.
    Data,
    /// Whatever JSON there is.
    Any,
    /// An object with known members.
    Object(&'static Object),
}

/// Whether a member is sent to the server, or by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Never.
    No,
    /// It may be missing.
    Maybe,
    /// It must be there.
    Always,
}

/// A member of an object, or a parameter.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// As it is written in JSON.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// In requests.
    pub given: Presence,
    /// In answers.
    pub shown: Presence,
    /// As JSON, or as the text that it is.
    pub default: Option<&'static str>,
    /// What it is for.
    pub about: &'static str,
    /// The audit log says whether it changed, and not what it is.
    pub secret: bool,
    /// Requests that change an object are not asked for it.
    pub at_creation: bool,
}

impl Field {
    /// The same, set when it is created, and only then.
    #[must_use]
    pub const fn at_creation(self) -> Self {
        Self {
            at_creation: true,
            ..self
        }
    }

    /// The same for a secret.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }
}

/// An object with known members. One without a name is written where it is used.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// What schemas call it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its members.
    pub fields: &'static [Field],
    /// Members beside these are kept, and shown as they came.
    pub open: bool,
}

impl Object {
    /// An object with a name.
    #[must_use]
    pub const fn new(name: &'static str, about: &'static str, fields: &'static [Field]) -> Self {
        Self {
            name,
            about,
            fields,
            open: false,
        }
    }

    /// What surrounds an object in requests and answers.
    #[must_use]
    pub const fn wrapper(fields: &'static [Field]) -> Self {
        Self::new("", "", fields)
    }

    /// The same, with further members that are kept.
    #[must_use]
    pub const fn open(self) -> Self {
        Self { open: true, ..self }
    }
}

const fn field(
    name: &'static str,
    kind: Kind,
    given: Presence,
    shown: Presence,
    about: &'static str,
) -> Field {
    Field {
        name,
        kind,
        given,
        shown,
        default: None,
        about,
        secret: false,
        at_creation: false,
    }
}

/// Must be given, and is always shown.
#[must_use]
pub const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
    field(name, kind, Presence::Always, Presence::Always, about)
}

/// May be given, and is shown if it was.
#[must_use]
pub const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    field(name, kind, Presence::Maybe, Presence::Maybe, about)
}

/// May be given, and is always shown.
#[must_use]
pub const fn defaulted(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Field {
    Field {
        default: Some(default),
        ..field(name, kind, Presence::Maybe, Presence::Always, about)
    }
}

/// The server's to say, and always there.
#[must_use]
pub const fn shown(name: &'static str, kind: Kind, about: &'static str) -> Field {
    field(name, kind, Presence::No, Presence::Always, about)
}

/// The server's to say, if there is anything to say.
#[must_use]
pub const fn shown_maybe(name: &'static str, kind: Kind, about: &'static str) -> Field {
    field(name, kind, Presence::No, Presence::Maybe, about)
}

/// May be given, and is never shown.
#[must_use]
pub const fn given(name: &'static str, kind: Kind, about: &'static str) -> Field {
    field(name, kind, Presence::Maybe, Presence::No, about)
}

/// Must be given, and is never shown.
#[must_use]
pub const fn must_give(name: &'static str, kind: Kind, about: &'static str) -> Field {
    field(name, kind, Presence::Always, Presence::No, about)
}

/// When a row was made.
pub const INSERT_INSTANT: Field = shown("insertInstant", Kind::Instant, "When it was created.");

/// When a row was changed last.
pub const LAST_UPDATE_INSTANT: Field = shown(
    "lastUpdateInstant",
    Kind::Instant,
    "When it was changed last.",
);
