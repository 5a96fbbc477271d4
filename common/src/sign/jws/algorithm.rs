//! What a key is for, by its name in `alg`.

use openssl::hash::MessageDigest;
use openssl::nid::Nid;

use crate::db::sql_type::text_enum;

text_enum! {
    /// A signature algorithm of RFC 7518 or RFC 8037.
    Algorithm {
        /// ECDSA with P-256 and SHA-256.
        Es256 = "ES256",
        /// ECDSA with P-384 and SHA-384.
        Es384 = "ES384",
        /// ECDSA with P-521 and SHA-512.
        Es512 = "ES512",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// HMAC with SHA-256.
        Hs256 = "HS256",
        /// HMAC with SHA-384.
        Hs384 = "HS384",
        /// HMAC with SHA-512.
        Hs512 = "HS512",
        /// RSA (PKCS #1 v1.5) with SHA-256.
        Rs256 = "RS256",
        /// RSA (PKCS #1 v1.5) with SHA-384.
        Rs384 = "RS384",
        /// RSA (PKCS #1 v1.5) with SHA-512.
        Rs512 = "RS512",
    }
}

/// The family of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// A pair on an elliptic curve.
    Ec,
    /// A secret that both sides know.
    Hmac,
    /// An Ed25519 pair.
    Okp,
    /// An RSA pair.
    Rsa,
}

impl KeyType {
    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ec => "EC",
            Self::Hmac => "HMAC",
            Self::Okp => "OKP",
            Self::Rsa => "RSA",
        }
    }
}

impl Algorithm {
    /// The family of its keys.
    #[must_use]
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Es256 | Self::Es384 | Self::Es512 => KeyType::Ec,
            Self::EdDsa => KeyType::Okp,
            Self::Hs256 | Self::Hs384 | Self::Hs512 => KeyType::Hmac,
            Self::Rs256 | Self::Rs384 | Self::Rs512 => KeyType::Rsa,
        }
    }

    /// What is hashed before it is signed. Ed25519 does that by itself.
    pub(super) fn digest(self) -> MessageDigest {
        match self {
            Self::Es256 | Self::Hs256 | Self::Rs256 | Self::EdDsa => MessageDigest::sha256(),
            Self::Es384 | Self::Hs384 | Self::Rs384 => MessageDigest::sha384(),
            Self::Es512 | Self::Hs512 | Self::Rs512 => MessageDigest::sha512(),
        }
    }

    /// The curve, what JWKs call it, and the bytes of one coordinate.
    pub(super) fn curve(self) -> Option<(Nid, &'static str, i32)> {
        match self {
            Self::Es256 => Some((Nid::X9_62_PRIME256V1, "P-256", 32)),
            Self::Es384 => Some((Nid::SECP384R1, "P-384", 48)),
            Self::Es512 => Some((Nid::SECP521R1, "P-521", 66)),
            _ => None,
        }
    }
}
