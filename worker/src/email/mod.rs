//! The mail side: builds the message, knows where mail can go, and hands one
//! message to one recipient. Rendering is done before, recording after;
//! nothing here knows a database or decides when to try again.

mod address;
mod courier;
mod dir;
mod dkim;
mod judge;
mod message;
mod notes;
mod smtp;
mod target;
mod transport;
mod upgrade;
mod wire;
mod words;

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
pub(crate) mod server;
#[cfg(test)]
mod transport_tests;

pub use address::{AddressError, parse_address};
pub use courier::MailCourier;
pub use message::{Mailbox, MessageError, OutgoingEmail};
pub use notes::Notes;
pub use target::{MailTarget, NamedBy, Security, SmtpTarget, TargetError};
pub use transport::{Mailer, MailerConfig, Parcel};
