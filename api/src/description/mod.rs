//! What the API says of itself: the OpenAPI document, the page to read it on, and the JSON
//! Schema of the event.
//!
//! There is one list of routes, and it is made of `Section`s: nothing can be served
//! without an `Operation` that says what it takes and gives. The operations of a noun, and
//! the members of its objects, stand beside its handlers in `description.rs`; here is what
//! they are written in, and what is made of them.

mod common;
mod event;
mod openapi;
mod operation;
mod page;
mod routes;
mod schema;
mod serve;
mod shared;

#[cfg(test)]
mod tests;

pub(crate) use beadle_common::resources::field::{
    Field, Kind, Object, defaulted, given, must_give, optional, required, shown, shown_maybe,
};
pub(crate) use common::{
    END, HARD_DELETE, INACTIVE, INSERT_INSTANT, LAST_UPDATE_INSTANT, REACTIVATE, START, TOTAL, text,
};
pub(crate) use event::{EVENT, EVENT_INFO, MAILBOX};
#[cfg(test)]
pub(crate) use operation::Body;
pub(crate) use operation::{Answer, At, Content, NOT_FOUND, Operation, Search};
pub(crate) use routes::{Routes, Section};
pub use serve::Description;
pub(crate) use serve::routes;
pub(crate) use shared::ERRORS;
