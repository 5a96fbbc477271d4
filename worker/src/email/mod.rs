//! The mail side: builds the message, knows where mail can go, and hands one
//! message to one recipient. Rendering is done before, recording after;
//! nothing here knows a database or decides when to try again.

mod address;
mod classify_reply;
mod dir;
mod dkim;
mod encoded_words;
mod mailer;
mod message;
mod prepared_mail;
mod refusal_log;
mod smtp;
mod target;
mod transport;
mod upgrade;
mod wire;

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod mailer_tests;
#[cfg(test)]
pub(crate) mod server;

pub use address::{AddressError, parse_address};
pub use mailer::{Mailer, MailerConfig};
pub use message::{Mailbox, MessageError, OutgoingEmail};
pub use prepared_mail::PreparedMail;
pub use refusal_log::RefusalLog;
pub use target::{MailTarget, NamedBy, Security, SmtpTarget, TargetError};
pub use transport::MailTransport;
