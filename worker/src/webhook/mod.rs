//! The webhook side: the connector that obeys the address guard, and the sender. Signing is done before, recording after; nothing here knows a
//! database or decides when to try again.

mod connect;
pub mod consent;
mod jwt;
mod outcome;
mod request;
mod send;
mod target;
pub(crate) mod transport;

pub use request::WebhookRequest;
pub use send::{SenderConfig, WebhookSender};
pub use transport::WebhookTransport;

#[cfg(test)]
mod connect_tests;
#[cfg(test)]
pub(crate) mod receiver;
#[cfg(test)]
mod send_tests;
