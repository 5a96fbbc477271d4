//! What dispatcher, transports and jobs have in common: how an attempt went, what follows from
//! it, and what time it is.

pub mod clock;
pub mod outcome;
pub mod policy;
pub mod signal;
pub mod unsendable;

pub use clock::{Clock, Jitter};
pub use unsendable::Unsendable;
