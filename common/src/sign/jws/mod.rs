//! The signature of a request's body as a JSON Web Signature, for receivers that check
//! `X-FusionAuth-Signature-JWT`.
//!
//! [`Algorithm`] names what a key is for, [`JwsKey`] is a key that can sign, and
//! [`PublicKey`] is what others may know of it. All cryptography is OpenSSL's, which is
//! linked for PostgreSQL's connections anyway.

mod algorithm;
mod key;
mod public;
#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, KeyType};
pub use key::{JwsError, JwsKey};
pub use public::PublicKey;
