//! Secrets at rest: what stands in the database is unreadable without the key.
//!
//! XChaCha20-Poly1305 with a random nonce per value. Where a value belongs (table,
//! column, row) is authenticated with it, so that a sealed value copied into another
//! row does not open. The first key seals, all keys open, so that keys can be rotated.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

const KEY: usize = 32;
const KEY_ID: usize = 4;
const NONCE: usize = 24;
/// First byte of every sealed value, for the day the format changes.
const FORMAT: u8 = 1;

/// Why a key cannot be used or a value not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key is not 32 bytes of base64 or hex.
    #[error("the secret key is not 32 bytes written as base64 or hex")]
    BadKey,
    /// The key file cannot be read or made.
    #[error("the key file `{path}` cannot be used: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No key at hand is the one that sealed the value.
    #[error(
        "a stored secret was sealed with a key that is not among the secret keys; check BEADLE_SECRET_KEY"
    )]
    UnknownKey,
    /// The value was changed, cut, or belongs to another place.
    #[error("a stored secret is damaged or stands in the wrong place")]
    Damaged,
    /// The system gave no randomness.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Where a sealed value belongs. Bound to the value, so it cannot be moved.
#[derive(Debug, Clone, Copy)]
pub struct AssociatedData {
    /// `table.column`
    pub column: &'static str,
    /// Key of the row.
    pub row: Uuid,
}

impl AssociatedData {
    fn bytes(self) -> Vec<u8> {
        let mut bytes = self.column.as_bytes().to_vec();
        bytes.push(0);
        bytes.extend_from_slice(self.row.as_bytes());
        bytes
    }
}

#[derive(Clone)]
struct SealKey {
    id: [u8; KEY_ID],
    cipher: XChaCha20Poly1305,
}

impl SealKey {
    fn new(bytes: &[u8]) -> Result<Self, SealError> {
        let cipher = XChaCha20Poly1305::new_from_slice(bytes).map_err(|_| SealError::BadKey)?;
        let digest = Sha256::digest([b"beadle key id".as_slice(), bytes].concat());
        let mut id = [0; KEY_ID];
        id.copy_from_slice(digest.get(..KEY_ID).ok_or(SealError::BadKey)?);
        Ok(Self { id, cipher })
    }

    fn parse(text: &str) -> Result<Self, SealError> {
        let text = text.trim();
        let bytes = Zeroizing::new(match hex(text) {
            Some(bytes) => bytes,
            None => BASE64_STANDARD
                .decode(text)
                .map_err(|_| SealError::BadKey)?,
        });
        if bytes.len() != KEY {
            return Err(SealError::BadKey);
        }
        Self::new(&bytes)
    }
}

/// Hex digits of exactly one key, or none.
fn hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != KEY * 2 {
        return None;
    }
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    let bytes = digits.chunks_exact(2);
    bytes
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect()
}

/// Seals and opens secrets. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    keys: Arc<[SealKey]>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({} keys)", self.keys.len())
    }
}

impl Sealer {
    /// From a comma-separated list of keys: the first seals, all open.
    ///
    /// # Errors
    /// [`SealError::BadKey`] if one of them is not 32 bytes of base64 or hex.
    pub fn from_keys(keys: &SecretString) -> Result<Self, SealError> {
        let keys = keys
            .expose_secret()
            .split(',')
            .map(SealKey::parse)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { keys: keys.into() })
    }

    /// From a file with such a list.
    ///
    /// # Errors
    /// [`SealError::File`] or [`SealError::BadKey`].
    pub fn from_file(path: &Path) -> Result<Self, SealError> {
        let text = fs::read_to_string(path).map_err(|source| SealError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::from_keys(&text.trim().to_owned().into())
    }

    /// From a file that is made, readable by its owner alone, if it is not there.
    ///
    /// # Errors
    /// [`SealError::File`], [`SealError::BadKey`] or [`SealError::Random`].
    pub fn from_file_or_new(path: &Path) -> Result<Self, SealError> {
        match create_key_file(path) {
            Ok(()) => {}
            Err(SealError::File { source, .. })
                if source.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        Self::from_file(path)
    }

    /// Seals a secret for its place.
    ///
    /// # Errors
    /// [`SealError::Random`] if the system gives no random bytes.
    pub fn seal(&self, place: AssociatedData, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.keys.first().ok_or(SealError::BadKey)?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(SealError::Random)?;
        let payload = Payload {
            msg: secret,
            aad: &place.bytes(),
        };
        let sealed = key
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError::Damaged)?;
        let mut out = Vec::with_capacity(1 + KEY_ID + NONCE + sealed.len());
        out.push(FORMAT);
        out.extend_from_slice(&key.id);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what [`Sealer::seal`] made for the same place.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`] or [`SealError::Damaged`].
    pub fn open(
        &self,
        place: AssociatedData,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (format, rest) = sealed.split_first().ok_or(SealError::Damaged)?;
        let (id, rest) = rest
            .split_first_chunk::<KEY_ID>()
            .ok_or(SealError::Damaged)?;
        let (nonce, text) = rest
            .split_first_chunk::<NONCE>()
            .ok_or(SealError::Damaged)?;
        if *format != FORMAT {
            return Err(SealError::Damaged);
        }
        let key = self
            .keys
            .iter()
            .find(|key| key.id == *id)
            .ok_or(SealError::UnknownKey)?;
        let payload = Payload {
            msg: text,
            aad: &place.bytes(),
        };
        key.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| SealError::Damaged)
    }

    /// What is sealed, sealed again with the first key; none if it is so already.
    ///
    /// # Errors
    /// Those of [`Sealer::open`] and [`Sealer::seal`].
    pub fn reseal(
        &self,
        place: AssociatedData,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, SealError> {
        let secret = self.open(place, sealed)?;
        let first = self.keys.first().ok_or(SealError::BadKey)?;
        if sealed.get(1..=KEY_ID) == Some(first.id.as_slice()) {
            return Ok(None);
        }
        self.seal(place, &secret).map(Some)
    }

    /// As [`Sealer::seal`], for text.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal_text(&self, place: AssociatedData, secret: &str) -> Result<Vec<u8>, SealError> {
        self.seal(place, secret.as_bytes())
    }

    /// As [`Sealer::open`], for text.
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn open_text(
        &self,
        place: AssociatedData,
        sealed: &[u8],
    ) -> Result<SecretString, SealError> {
        let bytes = self.open(place, sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| SealError::Damaged)?;
        Ok(SecretString::from(text.to_owned()))
    }
}

fn create_key_file(path: &Path) -> Result<(), SealError> {
    let fail = |source| SealError::File {
        path: path.to_owned(),
        source,
    };
    if path.exists() {
        return Ok(());
    }
    let mut key = Zeroizing::new([0; KEY]);
    getrandom::fill(key.as_mut_slice()).map_err(SealError::Random)?;
    // Written whole under another name first: a second process never reads half a key.
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(SealError::Random)?;
    let temporary = path.with_extension(format!("{:x}.tmp", u64::from_le_bytes(random)));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(fail)?;
    let text = Zeroizing::new(BASE64_STANDARD.encode(key.as_slice()) + "\n");
    let made = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        // A hard link, unlike a rename, fails if another process was first.
        .and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    made.and(removed).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const PLACE: AssociatedData = AssociatedData {
        column: "webhook_secrets.secret",
        row: Uuid::from_u128(1),
    };

    fn key(byte: u8) -> String {
        BASE64_STANDARD.encode([byte; KEY])
    }

    fn sealer(keys: &str) -> Sealer {
        Sealer::from_keys(&keys.to_owned().into()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let sealer = sealer(&key(7));
        let sealed = sealer.seal(PLACE, b"secret").unwrap();
        assert_eq!(sealer.open(PLACE, &sealed).unwrap().as_slice(), b"secret");
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        let elsewhere = AssociatedData {
            row: Uuid::from_u128(2),
            ..PLACE
        };
        assert!(matches!(
            sealer.open(elsewhere, &sealed),
            Err(SealError::Damaged)
        ));
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        let sealer = sealer(&key(7));
        let (a, b) = (sealer.seal(PLACE, b"x"), sealer.seal(PLACE, b"x"));
        assert_ne!(a.unwrap(), b.unwrap());
    }

    #[test]
    fn a_changed_or_cut_value_does_not_open() {
        let sealer = sealer(&key(7));
        let sealed = sealer.seal(PLACE, b"secret").unwrap();
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(sealer.open(PLACE, &changed).is_err(), "byte {i}");
            assert!(sealer.open(PLACE, &sealed[..i]).is_err(), "cut at {i}");
        }
    }

    #[test]
    fn an_old_key_opens_while_it_is_listed() {
        let old = sealer(&key(1)).seal(PLACE, b"secret").unwrap();
        let both = sealer(&format!("{},{}", key(2), key(1)));
        assert_eq!(both.open(PLACE, &old).unwrap().as_slice(), b"secret");
        assert!(matches!(
            sealer(&key(2)).open(PLACE, &old),
            Err(SealError::UnknownKey)
        ));
    }

    #[test]
    fn what_is_under_the_first_key_is_not_sealed_again() {
        let old = sealer(&key(1)).seal(PLACE, b"secret").unwrap();
        let both = sealer(&format!("{},{}", key(2), key(1)));
        let new = both.reseal(PLACE, &old).unwrap().unwrap();
        assert_eq!(
            sealer(&key(2)).open(PLACE, &new).unwrap().as_slice(),
            b"secret"
        );
        assert_eq!(both.reseal(PLACE, &new).unwrap(), None);
        let stranger = sealer(&key(3)).reseal(PLACE, &old);
        assert!(matches!(stranger, Err(SealError::UnknownKey)));
    }

    #[test]
    fn keys_are_32_bytes_of_base64_or_hex() {
        let hex = "07".repeat(32);
        let sealed = sealer(&hex).seal(PLACE, b"x").unwrap();
        assert!(sealer(&key(7)).open(PLACE, &sealed).is_ok());
        for bad in [
            "",
            "abc",
            &"07".repeat(31),
            &BASE64_STANDARD.encode([7; 16]),
        ] {
            assert!(Sealer::from_keys(&bad.to_owned().into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_key_file_is_its_owners_alone_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("beadle.key");
        let first = Sealer::from_file_or_new(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let sealed = first.seal(PLACE, b"x").unwrap();
        let second = Sealer::from_file_or_new(&path).unwrap();
        assert!(second.open(PLACE, &sealed).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
