//! The signature header of a request to a webhook.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;

use super::{LiveKeys, MessageId, SigningKey, WebhookPair, WebhookSecret};

/// Names the message; stays the same over all attempts.
pub const HEADER_ID: &str = "webhook-id";
/// The second of this attempt.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// One signature for every live key.
pub const HEADER_SIGNATURE: &str = "webhook-signature";

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
