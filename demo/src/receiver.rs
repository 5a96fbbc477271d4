//! The other system: an HTTP server that receives webhooks, as an application of
//! somebody else's would.
//!
//! Signatures are checked with the `standardwebhooks` crate, which shares no code with
//! the part of Beadle that signs.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use beadle_tests::{Answer, receiver as testkit};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::inbox::Inbox;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The member `event` of the body; null if there is none.
    pub(crate) event: Value,
    /// Whether the signature fits the body and the webhook's secret, or why not.
    pub(crate) verified: Result<(), String>,
    /// Whether the same signature is refused for a body that differs in one byte.
    pub(crate) forgery_refused: bool,
    /// What was answered.
    pub(crate) answered: StatusCode,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// A text of the event.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.event.get(member).and_then(Value::as_str).unwrap_or("")
    }

    /// Whether the sender was told that all is well.
    pub(crate) fn accepted(&self) -> bool {
        self.answered.is_success()
    }
}

/// The server, on a free port of this machine.
#[derive(Clone)]
pub(crate) struct Receiver {
    server: Arc<beadle_tests::Receiver>,
    secret: Arc<OnceLock<String>>,
    pub(crate) inbox: Inbox<Received>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let server = Arc::new(beadle_tests::Receiver::start().await);
        server.always(Answer::status(204));
        let secret = Arc::<OnceLock<String>>::default();
        let (received, known) = (Arc::clone(&server), Arc::clone(&secret));
        let inbox = Inbox::new(server.arrivals(), move || {
            let secret = known.get().map_or("", String::as_str);
            let all = received.received().into_iter();
            all.map(|request| Received::of(request, secret)).collect()
        });
        Self {
            server,
            secret,
            inbox,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// From now on signatures are checked with this secret. The first one stays.
    pub(crate) fn verify_with(&self, secret: &str) {
        let _ = self.secret.set(secret.to_owned());
    }

    /// Answers the next event of this user with 503, once.
    pub(crate) fn refuse_once(&self, user_id: &str) {
        let of_user = format!("\"actioneeUserId\":\"{user_id}\"");
        self.server
            .answer_once(Answer::status(503), move |request| {
                String::from_utf8_lossy(&request.body).contains(&of_user)
            });
    }
}

impl Received {
    fn of(request: testkit::Received, secret: &str) -> Self {
        let parsed: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (headers, body) = (request.headers, Bytes::from(request.body));
        Self {
            at: request.arrived,
            event: parsed.get("event").cloned().unwrap_or_default(),
            verified: verify(secret, &headers, &body),
            forgery_refused: verify(secret, &headers, &one_byte_off(&body)).is_err(),
            answered: StatusCode::from_u16(request.answered).unwrap_or_default(),
            headers,
            body,
        }
    }
}

fn verify(secret: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    Webhook::new(secret)
        .and_then(|webhook| webhook.verify(body, headers))
        .map_err(|error| error.to_string())
}

/// What somebody on the way could make of a body: a space more in front of the last byte
/// would do, and this is less.
fn one_byte_off(body: &[u8]) -> Vec<u8> {
    let mut changed = body.to_vec();
    if let Some(last) = changed.last_mut() {
        *last = b' ';
    }
    changed
}
