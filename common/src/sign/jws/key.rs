//! [`JwsKey`]: a key that can sign.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::hash;
use openssl::md::Md;
use openssl::pkey::{Id, PKey, Private};
use openssl::pkey_ctx::{NonceType, PkeyCtx};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::json;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Algorithm, KeyType, PublicKey};

/// Bits of an RSA key if nobody asks for more.
const RSA_BITS: u32 = 2048;
/// Fewer bits are broken, more make every signature slow.
const RSA_LENGTHS: [u32; 3] = [2048, 3072, 4096];
const LONGEST_RSA: u32 = 4096;
/// Fewer bytes of an HMAC secret could be guessed.
const SHORTEST_SECRET: usize = 32;

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    /// The text holds no key of the kind that the algorithm needs.
    #[error(
        "this is no PEM of a key for {0}, or a damaged one: RSA takes {RSA_BITS} to {LONGEST_RSA} \
         bits, and a private key must not be encrypted with a passphrase"
    )]
    NoKey(Algorithm),
    /// RSA keys have one of a few lengths, all others the one of their algorithm.
    #[error("{1} has no keys of {0} bits, leave the length out to get the usual one")]
    Length(u32, Algorithm),
    /// A short secret.
    #[error("the secret has {0} bytes, give it at least {SHORTEST_SECRET}")]
    ShortSecret(usize),
    /// The library failed.
    #[error("the key cannot be used: {0}")]
    Library(#[from] ErrorStack),
}

/// A key that can sign, and the bytes it is stored as.
pub struct JwsKey {
    algorithm: Algorithm,
    key: PKey<Private>,
    stored: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for JwsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwsKey({})", self.algorithm)
    }
}

impl JwsKey {
    /// Makes a new key; RSA keys have `length` bits.
    ///
    /// # Errors
    /// [`JwsError::Length`], or [`JwsError::Library`] without randomness.
    pub fn generate(algorithm: Algorithm, length: Option<u32>) -> Result<Self, JwsError> {
        let key = match (algorithm.key_type(), algorithm.curve()) {
            (KeyType::Rsa, _) => {
                let bits = length.unwrap_or(RSA_BITS);
                if !RSA_LENGTHS.contains(&bits) {
                    return Err(JwsError::Length(bits, algorithm));
                }
                PKey::from_rsa(Rsa::generate(bits)?)?
            }
            (_, Some((curve, ..))) => {
                let group = EcGroup::from_curve_name(curve)?;
                PKey::from_ec_key(EcKey::generate(&group)?)?
            }
            (KeyType::Hmac, _) => {
                let mut secret = Zeroizing::new(vec![0; algorithm.digest().size()]);
                openssl::rand::rand_bytes(&mut secret)?;
                return Self::from_secret(algorithm, &secret);
            }
            _ => PKey::generate_ed25519()?,
        };
        let made = Self::from_pair(algorithm, key)?;
        match length.filter(|length| i64::from(*length) != i64::from(made.length())) {
            Some(length) => Err(JwsError::Length(length, algorithm)),
            None => Ok(made),
        }
    }

    /// Reads a private key: PKCS #8, or the older forms of RSA and EC keys.
    ///
    /// # Errors
    /// [`JwsError::NoKey`] if it is none for this algorithm; one with a passphrase is none.
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, JwsError> {
        // Without a callback, OpenSSL would ask for a passphrase at the terminal.
        let key = PKey::private_key_from_pem_callback(pem.as_bytes(), |_| Ok(0))
            .map_err(|_| JwsError::NoKey(algorithm))?;
        let made = Self::from_pair(algorithm, key)?;
        if !is_sound(&made.key) {
            return Err(JwsError::NoKey(algorithm));
        }
        Ok(made)
    }

    /// Takes a secret for HMAC.
    ///
    /// # Errors
    /// [`JwsError::ShortSecret`].
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, JwsError> {
        if secret.len() < SHORTEST_SECRET {
            return Err(JwsError::ShortSecret(secret.len()));
        }
        Ok(Self {
            algorithm,
            key: PKey::hmac(secret)?,
            stored: Zeroizing::new(secret.to_vec()),
        })
    }

    /// Reads what [`JwsKey::stored`] gave.
    ///
    /// # Errors
    /// [`JwsError::NoKey`] if it is none for this algorithm.
    pub fn from_stored(algorithm: Algorithm, stored: &[u8]) -> Result<Self, JwsError> {
        if algorithm.key_type() == KeyType::Hmac {
            return Self::from_secret(algorithm, stored);
        }
        let key = PKey::private_key_from_der(stored).map_err(|_| JwsError::NoKey(algorithm))?;
        Self::from_pair(algorithm, key)
    }

    fn from_pair(algorithm: Algorithm, key: PKey<Private>) -> Result<Self, JwsError> {
        if !fits(algorithm, &key) {
            return Err(JwsError::NoKey(algorithm));
        }
        let stored = Zeroizing::new(key.private_key_to_pkcs8()?);
        Ok(Self {
            algorithm,
            key,
            stored,
        })
    }

    /// What to keep, sealed: the secret, or PKCS #8.
    #[must_use]
    pub fn stored(&self) -> &[u8] {
        &self.stored
    }

    /// Its length in bits.
    #[must_use]
    pub fn length(&self) -> i32 {
        match self.algorithm.key_type() {
            KeyType::Hmac => i32::try_from(self.stored.len().saturating_mul(8)).unwrap_or(i32::MAX),
            _ => bits(&self.key),
        }
    }

    /// What others may know of it; nothing of a shared secret.
    ///
    /// # Errors
    /// [`JwsError::Library`].
    pub fn public(&self) -> Result<Option<PublicKey>, JwsError> {
        if self.algorithm.key_type() == KeyType::Hmac {
            return Ok(None);
        }
        let pem = self.key.public_key_to_pem()?;
        let pem = String::from_utf8(pem).map_err(|_| JwsError::NoKey(self.algorithm))?;
        PublicKey::parse(self.algorithm, &pem).map(Some)
    }

    /// The signature of a body, as a compact JWS. The same body has the same signature, so
    /// that all attempts of a delivery carry the same.
    ///
    /// # Errors
    /// [`JwsError::Library`].
    pub fn sign_body(&self, kid: &str, body: &[u8]) -> Result<String, JwsError> {
        let header = json!({"alg": self.algorithm, "kid": kid, "typ": "JWT"});
        let payload = json!({"request_body_sha256": STANDARD.encode(Sha256::digest(body))});
        let mut jws = URL_SAFE_NO_PAD.encode(header.to_string());
        jws.push('.');
        URL_SAFE_NO_PAD.encode_string(payload.to_string(), &mut jws);
        let signature = self.sign(jws.as_bytes())?;
        jws.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jws);
        Ok(jws)
    }

    pub(in crate::sign) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        if let Some((_, _, width)) = self.algorithm.curve() {
            return self.sign_on_curve(message, width);
        }
        let mut signer = match self.algorithm.key_type() {
            KeyType::Okp => Signer::new_without_digest(&self.key)?,
            _ => Signer::new(self.algorithm.digest(), &self.key)?,
        };
        signer.sign_oneshot_to_vec(message)
    }

    /// Both numbers side by side, as JWS wants them.
    fn sign_on_curve(&self, message: &[u8], width: i32) -> Result<Vec<u8>, ErrorStack> {
        let digest = hash(self.algorithm.digest(), message)?;
        let mut context = PkeyCtx::new(&self.key)?;
        context.sign_init()?;
        if let Some(md) = Md::from_nid(self.algorithm.digest().type_()) {
            context.set_signature_md(md)?;
        }
        // Not at random, so that the same body always has the same signature.
        context.set_nonce_type(NonceType::DETERMINISTIC_K)?;
        let mut der = Vec::new();
        context.sign_to_vec(&digest, &mut der)?;
        let signature = EcdsaSig::from_der(&der)?;
        let mut bytes = signature.r().to_vec_padded(width)?;
        bytes.extend(signature.s().to_vec_padded(width)?);
        Ok(bytes)
    }
}

/// Whether the parts of a private key belong together. Reading it does not tell, and an
/// unsound one would sign what nobody can verify.
fn is_sound(key: &PKey<Private>) -> bool {
    match key.id() {
        Id::RSA => key
            .rsa()
            .is_ok_and(|rsa| rsa.check_key().is_ok_and(|sound| sound)),
        Id::EC => key.ec_key().is_ok_and(|key| key.check_key().is_ok()),
        _ => true,
    }
}

/// Whether an algorithm works with this key.
pub(super) fn fits<T: openssl::pkey::HasPublic>(algorithm: Algorithm, key: &PKey<T>) -> bool {
    match (algorithm.key_type(), algorithm.curve()) {
        (KeyType::Rsa, _) => {
            let bits = u32::try_from(bits(key)).unwrap_or(0);
            key.id() == Id::RSA && (RSA_BITS..=LONGEST_RSA).contains(&bits)
        }
        (KeyType::Okp, _) => key.id() == Id::ED25519,
        (_, Some((curve, ..))) => {
            key.id() == Id::EC
                && key
                    .ec_key()
                    .is_ok_and(|key| key.group().curve_name() == Some(curve))
        }
        _ => false,
    }
}

/// The length of a key as people give it.
pub(super) fn bits<T: openssl::pkey::HasPublic>(key: &PKey<T>) -> i32 {
    match key.id() {
        // OpenSSL says 253, which is the order of the group.
        Id::ED25519 => 256,
        _ => i32::try_from(key.bits()).unwrap_or(i32::MAX),
    }
}
