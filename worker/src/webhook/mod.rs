//! The webhook side: the connector that obeys the address guard, and the sender. Signing is done before, recording after; nothing here knows a
//! database or decides when to try again.

mod connect;
pub(crate) mod courier;
mod jwt;
mod outcome;
mod request;
mod send;
mod target;

pub use courier::WebhookCourier;
pub use request::WebhookRequest;
pub use send::{SenderConfig, WebhookSender};

#[cfg(test)]
mod connect_tests;
#[cfg(test)]
pub(crate) mod receiver;
#[cfg(test)]
mod send_tests;
