//! The signature header: made for what is sent, checked for what is received.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use subtle::{Choice, ConstantTimeEq};

use super::{LiveKeys, MessageId, SigningKey, WebhookPair, WebhookPublicKey, WebhookSecret};

/// Names the message; stays the same over all attempts.
pub const HEADER_ID: &str = "webhook-id";
/// The second of this attempt.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// One signature for every live key.
pub const HEADER_SIGNATURE: &str = "webhook-signature";

/// How far a timestamp may lie from the receiver's clock, either way. Wider makes
/// replays easier, narrower fails senders whose clock drifts.
pub const TOLERANCE_SECONDS: i64 = 300;

const TAG_V1: &str = "v1";
const TAG_V1A: &str = "v1a";
/// `v1a,`, 88 characters of base64, and the space before the next entry. Others are shorter.
const LONGEST_ENTRY: usize = 93;

/// The value of the signature header: one entry for each key, newest first.
///
/// `body` must be the very bytes that go on the wire, and `timestamp_seconds` the
/// value of the timestamp header.
#[must_use]
pub fn sign(keys: &LiveKeys, id: &MessageId, timestamp_seconds: u64, body: &[u8]) -> String {
    let timestamp = timestamp_seconds.to_string();
    let keys = keys.as_slice();
    let mut header = String::with_capacity(keys.len() * LONGEST_ENTRY);
    for key in keys {
        if !header.is_empty() {
            header.push(' ');
        }
        let (tag, signature) = match key {
            SigningKey::V1(secret) => (TAG_V1, signature_v1(secret, id.as_str(), &timestamp, body)),
            SigningKey::V1a(pair) => (TAG_V1A, signature_v1a(pair, id.as_str(), &timestamp, body)),
        };
        header.push_str(tag);
        header.push(',');
        header.push_str(&signature);
    }
    header
}

/// What is signed.
fn content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [
        id.as_bytes(),
        b".".as_slice(),
        timestamp.as_bytes(),
        b".".as_slice(),
        body,
    ]
    .concat()
}

/// Ed25519 goes through the message twice, so it needs it in one piece.
fn signature_v1a(pair: &WebhookPair, id: &str, timestamp: &str, body: &[u8]) -> String {
    STANDARD.encode(pair.sign(&content(id, timestamp, body)))
}

/// Feeds the parts to the HMAC one by one, so that the body is never copied.
fn signature_v1(secret: &WebhookSecret, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = secret.mac();
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The three headers of a received request, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignatureHeaders<'a> {
    /// `webhook-id`
    pub id: Option<&'a str>,
    /// `webhook-timestamp`
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`
    pub signature: Option<&'a str>,
}

/// Why a received request is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is absent or empty.
    #[error("the header `{0}` is missing")]
    MissingHeader(&'static str),
    /// The timestamp is not a plain decimal number of seconds.
    #[error("the header `{HEADER_TIMESTAMP}` must be Unix seconds in digits")]
    Timestamp,
    /// The request was sent too long ago, or is a replay.
    #[error("the request was signed more than {TOLERANCE_SECONDS} seconds ago")]
    TooOld,
    /// The request claims to come from the future.
    #[error("the request was signed more than {TOLERANCE_SECONDS} seconds ahead of this clock")]
    TooNew,
    /// No entry is a signature of this message by one of the keys.
    #[error("no signature matches")]
    NoMatch,
}

/// Checks a received request against every key the receiver holds.
///
/// Keys, tolerance and algorithm come from the receiver alone, never from the
/// request. The caller still has to drop ids it has seen before.
///
/// # Errors
/// See [`VerifyError`]; every one of them means: refuse the request.
pub fn verify(
    keys: &LiveKeys,
    headers: SignatureHeaders<'_>,
    body: &[u8],
    now_seconds: i64,
) -> Result<(), VerifyError> {
    let id = present(headers.id, HEADER_ID)?;
    let timestamp = present(headers.timestamp, HEADER_TIMESTAMP)?;
    let signature = present(headers.signature, HEADER_SIGNATURE)?;
    check_age(timestamp, now_seconds)?;

    let mut matched = Choice::from(0);
    for key in keys.as_slice() {
        match key {
            SigningKey::V1(secret) => {
                matched |= any_entry_is(
                    TAG_V1,
                    &signature_v1(secret, id, timestamp, body),
                    signature,
                );
            }
            SigningKey::V1a(pair) => {
                let content = content(id, timestamp, body);
                matched |= any_entry_verifies(pair.public(), &content, signature);
            }
        }
    }
    if bool::from(matched) {
        Ok(())
    } else {
        Err(VerifyError::NoMatch)
    }
}

fn present<'a>(header: Option<&'a str>, name: &'static str) -> Result<&'a str, VerifyError> {
    header
        .filter(|value| !value.is_empty())
        .ok_or(VerifyError::MissingHeader(name))
}

fn check_age(timestamp: &str, now_seconds: i64) -> Result<(), VerifyError> {
    // The integer parser would take a sign as well.
    if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VerifyError::Timestamp);
    }
    let timestamp: i64 = timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    let age = now_seconds.saturating_sub(timestamp);
    if age > TOLERANCE_SECONDS {
        return Err(VerifyError::TooOld);
    }
    if age < -TOLERANCE_SECONDS {
        return Err(VerifyError::TooNew);
    }
    Ok(())
}

/// Decodes strictly: base64 with stray bits in its last letter must not pass.
fn any_entry_verifies(key: &WebhookPublicKey, content: &[u8], header: &str) -> Choice {
    entries(header, TAG_V1A)
        .filter_map(|given| STANDARD.decode(given).ok())
        .map(|signature| Choice::from(u8::from(key.verifies(content, &signature))))
        .fold(Choice::from(0), |any, one| any | one)
}

/// What the entries with this tag hold.
fn entries<'a>(header: &'a str, tag: &'static str) -> impl Iterator<Item = &'a str> {
    header
        .split(' ')
        .filter_map(|entry| entry.split_once(','))
        .filter(move |(entry_tag, _)| *entry_tag == tag)
        .map(|(_, given)| given)
}

/// Compares texts rather than decoded bytes: base64 with stray bits in its last
/// letter decodes to the same bytes and must not pass.
fn any_entry_is(tag: &'static str, expected: &str, header: &str) -> Choice {
    entries(header, tag)
        .map(|given| given.as_bytes().ct_eq(expected.as_bytes()))
        .fold(Choice::from(0), |any, one| any | one)
}
