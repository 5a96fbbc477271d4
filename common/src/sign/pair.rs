//! The asymmetric key of one webhook endpoint and its text forms.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::SecretError;

pub(super) const PRIVATE_PREFIX: &str = "whsk_";
const PUBLIC_PREFIX: &str = "whpk_";
const SEED: usize = 32;

/// An Ed25519 pair, ready to sign.
#[derive(Clone)]
pub struct WebhookPair {
    key: PKey<Private>,
    public: WebhookPublicKey,
}

/// What receivers check the signatures of a [`WebhookPair`] with.
#[derive(Clone)]
pub struct WebhookPublicKey {
    bytes: [u8; SEED],
}

impl WebhookPair {
    /// Makes a new pair with `fill`, the operating system's random generator.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn generate<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut seed = Zeroizing::new([0; SEED]);
        fill(seed.as_mut_slice())?;
        Ok(Self::ready(&seed))
    }

    /// Reads the text form: `whsk_` and base64 of the seed, or of seed and public key.
    ///
    /// # Errors
    /// The text has another prefix, is not base64, or its halves do not belong together.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text
            .strip_prefix(PRIVATE_PREFIX)
            .ok_or(SecretError::NotBase64)?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| SecretError::NotBase64)?;
        let bytes = Zeroizing::new(bytes);
        let (seed, public) = bytes
            .split_first_chunk::<SEED>()
            .filter(|(_, rest)| [0, SEED].contains(&rest.len()))
            .ok_or(SecretError::PairLength(bytes.len()))?;
        let pair = Self::ready(seed);
        if !public.is_empty() && public != pair.public.bytes {
            return Err(SecretError::Halves);
        }
        Ok(pair)
    }

    #[expect(clippy::expect_used, reason = "any 32 bytes are a seed")]
    fn ready(seed: &[u8; SEED]) -> Self {
        let key = PKey::private_key_from_raw_bytes(seed, Id::ED25519);
        let key = key.expect("any 32 bytes are a seed");
        let public = key.raw_public_key().ok();
        let bytes = public.and_then(|bytes| <[u8; SEED]>::try_from(bytes).ok());
        let bytes = bytes.expect("every pair has a public half of 32 bytes");
        let public = WebhookPublicKey { bytes };
        Self { key, public }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &WebhookPublicKey {
        &self.public
    }

    /// The text form with both halves, as others write it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the key was made from its bytes")]
    pub fn to_text(&self) -> SecretString {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * SEED));
        let seed = Zeroizing::new(self.key.raw_private_key().expect("the key has a seed"));
        bytes.extend_from_slice(&seed);
        bytes.extend_from_slice(&self.public.bytes);
        let encoded = Zeroizing::new(STANDARD.encode(&*bytes));
        SecretString::from([PRIVATE_PREFIX, &encoded].concat())
    }

    #[expect(clippy::expect_used, reason = "Ed25519 signs whatever it is given")]
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signed = Signer::new_without_digest(&self.key)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(message));
        signed.expect("Ed25519 signs whatever it is given")
    }
}

impl WebhookPublicKey {
    /// The text form: `whpk_` and base64.
    #[must_use]
    pub fn to_text(&self) -> String {
        [PUBLIC_PREFIX, &STANDARD.encode(self.bytes)].concat()
    }
}

impl fmt::Debug for WebhookPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookPair(..)")
    }
}

impl fmt::Debug for WebhookPublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_text())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const LONG: &str = "whsk_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8prLrhQbzK8LIuGpTTTQvHNh5SbQv+EsiXlLyTIpZt1w==";
    const SHORT: &str = "whsk_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    const PUBLIC: &str = "whpk_Kay64UG8yvCyLhqU000LxzYeUm0L/hLIl5S8kyKWbdc=";

    #[test]
    fn both_forms_are_read_and_the_long_one_is_written() {
        for text in [LONG, SHORT] {
            let pair = WebhookPair::parse(text).unwrap();
            assert_eq!(pair.to_text().expose_secret(), LONG);
            assert_eq!(pair.public().to_text(), PUBLIC);
        }
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        let of = |bytes: &[u8]| format!("whsk_{}", STANDARD.encode(bytes));
        let other_half = {
            let mut bytes = STANDARD.decode(LONG.strip_prefix("whsk_").unwrap());
            *bytes.as_mut().unwrap().last_mut().unwrap() ^= 1;
            of(&bytes.unwrap())
        };
        for (text, error) in [
            (other_half, SecretError::Halves),
            (of(&[1; 31]), SecretError::PairLength(31)),
            (of(&[1; 33]), SecretError::PairLength(33)),
            (of(&[1; 96]), SecretError::PairLength(96)),
            (of(&[]), SecretError::PairLength(0)),
            (PUBLIC.to_owned(), SecretError::NotBase64),
            (format!("{SHORT} "), SecretError::NotBase64),
            (SHORT.replace('=', ""), SecretError::NotBase64),
        ] {
            assert_eq!(WebhookPair::parse(&text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn generated_pairs_are_read_again_and_hidden_in_debug_output() {
        let pair = WebhookPair::generate(getrandom::fill).unwrap();
        let again = WebhookPair::parse(pair.to_text().expose_secret()).unwrap();
        assert_eq!(again.public().to_text(), pair.public().to_text());
        assert_eq!(format!("{pair:?}"), "WebhookPair(..)");
        assert!(WebhookPair::generate(|_| Err("no entropy")).is_err());
    }
}
