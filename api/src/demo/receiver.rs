//! The other system: an HTTP server that receives webhooks, as an application of
//! somebody else's would.
//!
//! Signatures are checked with the `standardwebhooks` crate, which shares no code with
//! the part of Beadle that signs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::{TcpListener, TcpStream};

use super::inbox::Inbox;

/// Far above any event.
const LARGEST_BODY: usize = 1024 * 1024;

/// One request as it came.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) at: Instant,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The member `event` of the body; null if there is none.
    pub(super) event: Value,
    /// Whether the signature fits the body and the webhook's secret, or why not.
    pub(super) verified: Result<(), String>,
    /// Whether the same signature is refused for a body that differs in one byte.
    pub(super) forgery_refused: bool,
    /// What was answered.
    pub(super) answered: StatusCode,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// A text of the event.
    pub(super) fn text(&self, member: &str) -> &str {
        self.event.get(member).and_then(Value::as_str).unwrap_or("")
    }

    /// Whether the sender was told that all is well.
    pub(super) fn accepted(&self) -> bool {
        self.answered.is_success()
    }
}

/// The server, on a free port of this machine.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    address: SocketAddr,
    pub(super) inbox: Inbox<Received>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    secret: OnceLock<String>,
    /// The user whose next event is answered with 503, once.
    refused_user: Mutex<Option<String>>,
}

impl Receiver {
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let receiver = Self {
            address: listener.local_addr()?,
            inbox: Inbox::new(),
            shared: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        Ok(receiver)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// From now on signatures are checked with this secret. The first one stays.
    pub(super) fn verify_with(&self, secret: &str) {
        let _ = self.shared.secret.set(secret.to_owned());
    }

    /// Answers the next event of this user with 503, once.
    pub(super) fn refuse_once(&self, user_id: &str) {
        *self.refused_user() = Some(user_id.to_owned());
    }

    async fn serve(self, stream: TcpStream) {
        let service = service_fn(|request| self.receive(request));
        // A sender that goes away is its own business: what it owed will be missing.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn receive(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Empty<Bytes>>, Infallible> {
        let at = Instant::now();
        let (head, body) = request.into_parts();
        let answered = match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => self.take(at, head.headers, body.to_bytes()),
            Err(_) => StatusCode::BAD_REQUEST,
        };
        let mut response = Response::new(Empty::new());
        *response.status_mut() = answered;
        Ok(response)
    }

    fn take(&self, at: Instant, headers: HeaderMap, body: Bytes) -> StatusCode {
        let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
        let event = parsed.get("event").cloned().unwrap_or_default();
        let secret = self.shared.secret.get().map_or("", String::as_str);
        let verified = verify(secret, &headers, &body);
        let answered = match (&verified, self.is_refused(&event)) {
            (Err(_), _) => StatusCode::UNAUTHORIZED,
            (Ok(()), true) => StatusCode::SERVICE_UNAVAILABLE,
            (Ok(()), false) => StatusCode::NO_CONTENT,
        };
        self.inbox.put(Received {
            at,
            forgery_refused: verify(secret, &headers, &one_byte_off(&body)).is_err(),
            headers,
            body,
            event,
            verified,
            answered,
        });
        answered
    }

    fn is_refused(&self, event: &Value) -> bool {
        let mut refused = self.refused_user();
        let actionee = event.get("actioneeUserId").and_then(Value::as_str);
        let is_refused = actionee.is_some() && refused.as_deref() == actionee;
        if is_refused {
            *refused = None;
        }
        is_refused
    }

    fn refused_user(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        let user = self.shared.refused_user.lock();
        user.unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn signed(body: &[u8]) -> HeaderMap {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let seconds = i64::try_from(now.as_secs()).unwrap();
        let signature = Webhook::new(SECRET).unwrap().sign("e1", seconds, body);
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "e1".parse().unwrap());
        headers.insert("webhook-timestamp", seconds.into());
        headers.insert("webhook-signature", signature.unwrap().parse().unwrap());
        headers
    }

    #[tokio::test]
    async fn one_event_is_refused_once_and_then_taken() {
        let receiver = Receiver::start().await.unwrap();
        receiver.verify_with(SECRET);
        receiver.refuse_once("u1");
        let body = Bytes::from(r#"{"event":{"actioneeUserId":"u1"}}"#);
        let other = Bytes::from(r#"{"event":{"actioneeUserId":"u2"}}"#);
        let answers = [&other, &body, &body]
            .map(|body| receiver.take(Instant::now(), signed(body), body.clone()));
        assert_eq!(answers.map(|status| status.as_u16()), [204, 503, 204]);
        let all = receiver.inbox.all();
        assert!(
            all.iter()
                .all(|one| one.verified.is_ok() && one.forgery_refused)
        );
    }

    #[tokio::test]
    async fn a_wrong_signature_is_answered_with_401() {
        let receiver = Receiver::start().await.unwrap();
        receiver.verify_with(SECRET);
        let body = Bytes::from("{}");
        let headers = signed(b"{ }");
        assert_eq!(receiver.take(Instant::now(), headers, body).as_u16(), 401);
        assert!(receiver.inbox.all()[0].verified.is_err());
    }
}
