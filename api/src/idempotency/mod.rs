//! `Idempotency-Key`: a POST that is sent again with the same key is carried out once.
//!
//! [`idempotency_middleware`](crate::middleware) stands around every endpoint that writes and takes an API key. It reserves the
//! request in a short transaction, hands a [`Reservation`] on to the handler, and answers a
//! repetition itself. A handler stores its answer with its effect by
//! [`Call::commit`](crate::extract::Call::commit). Whatever is not stored gives the key free
//! again. Searches, previews and logins take no part: they may be done again, and what they
//! answer is true only when they do.
//!
//! A caller without an API key (a login to an application that asks for none) has no keys
//! of its own either: its header is ignored.

mod reservation;

#[cfg(test)]
mod stored_tests;
#[cfg(test)]
mod tests;

pub(crate) use reservation::{Admission, Reservation, Sealed};
