//! What can be asked of a route.

use beadle_common::resources::field::{Field, Object};

/// One method of one path, or of both paths of a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// As the official clients name it, where they have it.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) about: &'static str,
    pub(crate) at: At,
    pub(crate) query: &'static [Field],
    pub(crate) body: Body,
    /// Beside those that every endpoint gives.
    pub(crate) answers: &'static [Answer],
}

/// Which path of a resource that has one with an Id and one without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Both,
    Id,
    NoId,
}

/// What is read after the headers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    Nothing,
    /// Must be there.
    Object(&'static Object),
    /// May be left out.
    Maybe(&'static Object),
    /// Part of an object, in one of three media types.
    Patch(&'static Object),
    /// Criteria: in the query of a GET, in the body of a POST.
    Search(&'static Search),
}

/// What can be searched for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    pub(crate) criteria: &'static [Field],
    /// The fields that results can be ordered by.
    pub(crate) order: &'static [&'static str],
    pub(crate) default_order: &'static str,
}

/// One status that may come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    pub(crate) content: Content,
}

/// The body of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    Nothing,
    Json(&'static Object),
    /// The errors object.
    Errors,
    /// Something else, of this media type.
    Other(&'static str),
}

/// The object that is addressed does not exist, for this caller at least.
pub(crate) const NOT_FOUND: Answer = Answer::empty(404, "There is no such object.");

impl Answer {
    pub(crate) const fn new(status: u16, about: &'static str, content: Content) -> Self {
        Self {
            status,
            about,
            content,
        }
    }

    /// `200` with this body.
    pub(crate) const fn ok(about: &'static str, body: &'static Object) -> Self {
        Self::new(200, about, Content::Json(body))
    }

    /// A status that says it all.
    pub(crate) const fn empty(status: u16, about: &'static str) -> Self {
        Self::new(status, about, Content::Nothing)
    }
}

impl Operation {
    pub(crate) const fn new(
        id: &'static str,
        summary: &'static str,
        answers: &'static [Answer],
    ) -> Self {
        Self {
            id,
            summary,
            about: "",
            at: At::Both,
            query: &[],
            body: Body::Nothing,
            answers,
        }
    }

    pub(crate) const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    pub(crate) const fn at(self, at: At) -> Self {
        Self { at, ..self }
    }

    pub(crate) const fn query(self, query: &'static [Field]) -> Self {
        Self { query, ..self }
    }

    pub(crate) const fn body(self, body: &'static Object) -> Self {
        Self {
            body: Body::Object(body),
            ..self
        }
    }

    pub(crate) const fn maybe_body(self, body: &'static Object) -> Self {
        Self {
            body: Body::Maybe(body),
            ..self
        }
    }

    pub(crate) const fn patch(self, body: &'static Object) -> Self {
        Self {
            body: Body::Patch(body),
            ..self
        }
    }

    pub(crate) const fn search(self, search: &'static Search) -> Self {
        Self {
            body: Body::Search(search),
            ..self
        }
    }
}
