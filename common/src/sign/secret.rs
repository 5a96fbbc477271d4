//! The symmetric key of one webhook endpoint and its text form.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
const SHORTEST_KEY: usize = 24;
const LONGEST_KEY: usize = 64;
const GENERATED_KEY: usize = 32;

/// Why a text or some bytes are no [`WebhookSecret`].
///
/// No message repeats any of the text: it may be a real secret with a typo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// A value of the signature header was pasted in place of the secret.
    #[error(
        "the text starts with `v1,`, so it is a signature: give the secret, which starts with `whsec_`"
    )]
    Signature,
    /// The text is not base64.
    #[error(
        "the secret is not base64 in the standard alphabet with padding, after `whsec_`, `whsk_`, or nothing"
    )]
    NotBase64,
    /// The key is too short to be safe or longer than receivers must support.
    #[error("the secret holds {0} bytes, give {SHORTEST_KEY} to {LONGEST_KEY}")]
    Length(usize),
    /// What follows `whsk_` is no Ed25519 key.
    #[error("the private key holds {0} bytes, give 32 for its seed, or 64 for seed and public key")]
    PairLength(usize),
    /// The public key after the seed is another one's.
    #[error("the private key ends with another public key than its own, leave that out")]
    Halves,
}

/// An HMAC-SHA256 key of 24 to 64 bytes, ready to sign.
///
/// The key schedule is computed once: one secret signs thousands of messages.
/// Both it and the bytes are wiped when the secret is dropped.
#[derive(Clone)]
pub struct WebhookSecret {
    key: Zeroizing<Vec<u8>>,
    mac: Hmac<Sha256>,
}

impl WebhookSecret {
    /// Makes a new secret of 32 bytes with `fill`, the operating system's random
    /// generator.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn generate<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = Zeroizing::new(vec![0; GENERATED_KEY]);
        fill(&mut key)?;
        Ok(Self::ready(key))
    }

    /// Reads the text form, with or without its `whsec_`.
    ///
    /// # Errors
    /// The text is a signature, is not base64, or holds too few or too many bytes.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        if text.starts_with("v1,") {
            return Err(SecretError::Signature);
        }
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let key = STANDARD
            .decode(encoded)
            .map_err(|_| SecretError::NotBase64)?;
        Self::checked(Zeroizing::new(key))
    }

    /// Takes the key itself, as it is stored.
    ///
    /// # Errors
    /// Too few or too many bytes.
    pub fn from_bytes(key: &[u8]) -> Result<Self, SecretError> {
        Self::checked(Zeroizing::new(key.to_vec()))
    }

    fn checked(key: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        if !(SHORTEST_KEY..=LONGEST_KEY).contains(&key.len()) {
            return Err(SecretError::Length(key.len()));
        }
        Ok(Self::ready(key))
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn ready(key: Zeroizing<Vec<u8>>) -> Self {
        let mac = Hmac::new_from_slice(&key).expect("HMAC takes a key of any length");
        Self { key, mac }
    }

    /// The key itself, to be stored encrypted.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.key
    }

    /// The text form that the receiver configures: `whsec_` and base64.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let encoded = Zeroizing::new(STANDARD.encode(&*self.key));
        SecretString::from([PREFIX, &encoded].concat())
    }

    /// An HMAC that has taken in the key and nothing else.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        self.mac.clone()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const TEXT: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

    fn text_of(length: usize) -> String {
        STANDARD.encode(vec![0xfb; length])
    }

    #[test]
    fn the_prefix_may_be_left_out() {
        let bare = TEXT.strip_prefix("whsec_").unwrap();
        let bytes: Vec<u8> = (0..24).collect();
        for text in [TEXT, bare] {
            let secret = WebhookSecret::parse(text).unwrap();
            assert_eq!(secret.as_bytes(), bytes);
            assert_eq!(secret.to_text().expose_secret(), TEXT);
        }
    }

    #[test]
    fn keys_of_24_to_64_bytes_are_taken() {
        for length in [0, 1, 23, 65, 1_000] {
            assert_eq!(
                WebhookSecret::parse(&text_of(length)).unwrap_err(),
                SecretError::Length(length)
            );
            assert!(WebhookSecret::from_bytes(&vec![7; length]).is_err());
        }
        for length in [24, 32, 63, 64] {
            assert!(WebhookSecret::parse(&text_of(length)).is_ok());
            assert!(WebhookSecret::from_bytes(&vec![7; length]).is_ok());
        }
    }

    #[test]
    fn a_pasted_signature_is_named_as_such() {
        let error =
            WebhookSecret::parse("v1,uwLzO76QiiHVlRWvwPtCKabqUmdCCoS53qJ9WU8KqNA=").unwrap_err();
        assert_eq!(error, SecretError::Signature);
        assert!(error.to_string().contains("whsec_"));
    }

    #[test]
    fn nothing_is_trimmed_and_only_padded_standard_base64_is_read() {
        let url_alphabet = text_of(32).replace('+', "-").replace('/', "_");
        let unpadded = text_of(32).replace('=', "");
        for text in [
            &format!(" {TEXT}"),
            &format!("{TEXT}\n"),
            "whsec_whsec_",
            "WHSEC_AAAA",
            &url_alphabet,
            &unpadded,
        ] {
            assert_eq!(
                WebhookSecret::parse(text).unwrap_err(),
                SecretError::NotBase64,
                "{text}"
            );
        }
    }

    #[test]
    fn debug_output_and_errors_hide_the_key() {
        let secret = WebhookSecret::parse(TEXT).unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(..)");
        let error = WebhookSecret::parse(&format!("{TEXT}?")).unwrap_err();
        assert!(!error.to_string().contains("AAEC"));
    }

    #[test]
    fn generated_secrets_hold_32_bytes_of_the_generator() {
        let secret = WebhookSecret::generate(|bytes| {
            bytes.fill(9);
            Ok::<(), std::io::Error>(())
        })
        .unwrap();
        assert_eq!(secret.as_bytes(), [9; 32]);
        assert!(WebhookSecret::generate(|_| Err("no entropy")).is_err());
        assert!(WebhookSecret::generate(getrandom::fill).is_ok());
    }
}
