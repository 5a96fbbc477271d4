//! Signing of webhook requests after Standard Webhooks 1.0.0.
//!
//! A [`WebhookSecret`] or a [`WebhookPair`] is a key, [`LiveKeys`] are the ones an endpoint is signed
//! with at this moment, and [`sign`] makes the signature header. Which keys are live, and when a request is sent, is decided elsewhere.

pub mod dkim;
pub mod jws;
mod keys;
mod message;
mod pair;
mod secret;
mod standard;
#[cfg(test)]
mod vectors;

pub use keys::{LiveKeys, LiveKeysError, SigningKey};
pub use message::{MessageId, MessageIdError};
pub use pair::{WebhookPair, WebhookPublicKey};
pub use secret::{SecretError, WebhookSecret};
pub use standard::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, sign};
