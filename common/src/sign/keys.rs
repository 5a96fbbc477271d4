//! The keys that one endpoint is signed with.

use secrecy::SecretString;

use super::pair::PRIVATE_PREFIX;
use super::{SecretError, WebhookPair, WebhookSecret};

/// A key of one of the signature schemes.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// HMAC-SHA256 with a shared secret: entries tagged `v1`.
    V1(WebhookSecret),
    /// Ed25519: entries tagged `v1a`.
    V1a(WebhookPair),
}

impl SigningKey {
    /// Reads the text form: an Ed25519 pair after `whsk_`, a shared secret otherwise.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        match text.starts_with(PRIVATE_PREFIX) {
            true => WebhookPair::parse(text).map(Self::V1a),
            false => WebhookSecret::parse(text).map(Self::V1),
        }
    }

    /// The text form, which says of which scheme it is.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        match self {
            Self::V1(secret) => secret.to_text(),
            Self::V1a(pair) => pair.to_text(),
        }
    }

    /// What receivers verify with, if that is something else: `whpk_` and base64.
    #[must_use]
    pub fn public_text(&self) -> Option<String> {
        match self {
            Self::V1(_) => None,
            Self::V1a(pair) => Some(pair.public().to_text()),
        }
    }
}

impl From<WebhookSecret> for SigningKey {
    fn from(secret: WebhookSecret) -> Self {
        Self::V1(secret)
    }
}

/// The keys that are live at the moment of an attempt, newest first: at least one.
///
/// More than one during a rotation, when receivers may still hold the former key.
#[derive(Clone, Debug)]
pub struct LiveKeys(Vec<SigningKey>);

/// Why some keys are no [`LiveKeys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveKeysError {
    /// Nothing to sign with.
    #[error("the endpoint has no live key, give it one")]
    None,
    /// A header with more entries is refused by some receivers.
    #[error("the endpoint has {0} live keys, at most {max} are allowed: wait until one lapses", max = LiveKeys::MOST)]
    TooMany(usize),
}

impl LiveKeys {
    /// How many keys of one endpoint may be live at once.
    pub const MOST: usize = 4;

    /// Takes the keys, newest first.
    ///
    /// # Errors
    /// No key at all, or more than [`LiveKeys::MOST`].
    pub fn new(newest_first: Vec<SigningKey>) -> Result<Self, LiveKeysError> {
        match newest_first.len() {
            0 => Err(LiveKeysError::None),
            1..=Self::MOST => Ok(Self(newest_first)),
            count => Err(LiveKeysError::TooMany(count)),
        }
    }

    /// The keys, newest first.
    #[must_use]
    pub fn as_slice(&self) -> &[SigningKey] {
        &self.0
    }
}

impl From<WebhookSecret> for LiveKeys {
    fn from(secret: WebhookSecret) -> Self {
        Self(vec![secret.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_four_keys_are_live() {
        let key = SigningKey::from(WebhookSecret::from_bytes(&[1; 24]).unwrap());
        let of = |count| LiveKeys::new(vec![key.clone(); count]).map(|keys| keys.as_slice().len());
        assert_eq!(of(0), Err(LiveKeysError::None));
        assert_eq!(of(1), Ok(1));
        assert_eq!(of(4), Ok(4));
        assert_eq!(of(5), Err(LiveKeysError::TooMany(5)));
    }
}
