//! [`PublicKey`]: what receivers check signatures with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Public};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::key::{bits, fits};
use super::{Algorithm, JwsError, KeyType};

/// A public key of one algorithm.
#[derive(Debug, Clone)]
pub struct PublicKey {
    algorithm: Algorithm,
    key: PKey<Public>,
}

impl PublicKey {
    /// Reads a public key as PEM.
    ///
    /// # Errors
    /// [`JwsError::NoKey`] if it is none for this algorithm.
    pub fn parse(algorithm: Algorithm, pem: &str) -> Result<Self, JwsError> {
        let key = PKey::public_key_from_pem(pem.as_bytes())
            .ok()
            .filter(|key| fits(algorithm, key))
            .ok_or(JwsError::NoKey(algorithm))?;
        Ok(Self { algorithm, key })
    }

    /// The key as PEM.
    ///
    /// # Errors
    /// [`JwsError::Library`].
    pub fn to_pem(&self) -> Result<String, JwsError> {
        let pem = self.key.public_key_to_pem()?;
        String::from_utf8(pem).map_err(|_| JwsError::NoKey(self.algorithm))
    }

    /// Its length in bits.
    #[must_use]
    pub fn length(&self) -> i32 {
        bits(&self.key)
    }

    /// Whether both are the same key.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.key.public_eq(&other.key)
    }

    /// The key as a JWK, with what it is for.
    ///
    /// # Errors
    /// [`JwsError::Library`].
    pub fn jwk(&self, kid: &str) -> Result<Map<String, Value>, JwsError> {
        let mut jwk = self.members()?;
        jwk.insert("alg".to_owned(), json!(self.algorithm));
        jwk.insert("kid".to_owned(), json!(kid));
        jwk.insert("use".to_owned(), json!("sig"));
        Ok(jwk)
    }

    /// The thumbprint of RFC 7638: the same for the same key, wherever it is computed.
    ///
    /// # Errors
    /// [`JwsError::Library`].
    pub fn thumbprint(&self) -> Result<String, JwsError> {
        // The members of `Map` are sorted, as the RFC wants them.
        let members = Value::Object(self.members()?).to_string();
        Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(members)))
    }

    /// The members that make the key, and no others.
    fn members(&self) -> Result<Map<String, Value>, ErrorStack> {
        let mut members = Map::new();
        let mut add = |name: &str, value: &str| {
            members.insert(name.to_owned(), Value::from(value));
        };
        match (self.algorithm.key_type(), self.algorithm.curve()) {
            (KeyType::Rsa, _) => {
                let rsa = self.key.rsa()?;
                add("kty", "RSA");
                add("n", &URL_SAFE_NO_PAD.encode(rsa.n().to_vec()));
                add("e", &URL_SAFE_NO_PAD.encode(rsa.e().to_vec()));
            }
            (_, Some((_, curve, width))) => {
                let (x, y) = self.point()?;
                add("kty", "EC");
                add("crv", curve);
                add("x", &URL_SAFE_NO_PAD.encode(x.to_vec_padded(width)?));
                add("y", &URL_SAFE_NO_PAD.encode(y.to_vec_padded(width)?));
            }
            _ => {
                add("kty", "OKP");
                add("crv", "Ed25519");
                add("x", &URL_SAFE_NO_PAD.encode(self.key.raw_public_key()?));
            }
        }
        Ok(members)
    }

    fn point(&self) -> Result<(BigNum, BigNum), ErrorStack> {
        let key = self.key.ec_key()?;
        let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
        let mut context = BigNumContext::new()?;
        key.public_key()
            .affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
        Ok((x, y))
    }
}
