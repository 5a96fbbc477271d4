//! What stands around the handlers: around all of them, or around those that an
//! `Idempotency-Key` makes sense for.

mod idempotency;
mod measure;
mod unknown_methods;
mod unread_body;

pub(crate) use idempotency::idempotency_middleware;
pub(crate) use measure::measure;
pub(crate) use unknown_methods::refuse_unknown_methods;
pub(crate) use unread_body::close_unread;
