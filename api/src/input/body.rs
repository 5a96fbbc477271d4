//! The body of a request: read up to a limit, and parsed as JSON.

use std::fmt::Display;
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, BytesMut};
use beadle_common::resources::PatchKind;
use beadle_common::resources::input::{keep_own, shape};
use futures_util::StreamExt;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::error::ApiError;
use crate::errors::{Errors, General};

/// A body has to be there by then. Otherwise whoever sends it byte by byte could keep a
/// connection for ever, and what was permitted at its beginning until long after that.
const LONGEST: Duration = Duration::from_secs(60);

/// A body that was read and parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// What was sent.
    pub json: Value,
    /// How it changes what is stored, if the method is PATCH.
    pub patch: Option<PatchKind>,
    /// What a PUT need not name; see [`Body::keeping`].
    pub own: &'static [&'static str],
}

impl Body {
    /// The members of a body that stands for itself.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if the JSON is no object.
    pub fn into_members(self) -> Result<Map<String, Value>, ApiError> {
        members(self.json)
    }

    /// The same, without taking them.
    ///
    /// # Errors
    /// As [`Body::into_members`].
    pub fn members(&self) -> Result<&Map<String, Value>, ApiError> {
        self.json.as_object().ok_or_else(no_object)
    }

    /// What is to be stored: what was sent, or, if the method is PATCH, what that makes
    /// of `stored`, the object in its wrapper. That may take a while.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if the JSON is no object, or a patch that does not fit.
    pub fn onto(&self, stored: impl FnOnce() -> Value) -> Result<Map<String, Value>, ApiError> {
        if let Some(kind) = self.patch {
            return members(kind.apply(stored(), self.json.clone())?);
        }
        let mut members = self.members()?.clone();
        if !self.own.is_empty() {
            keep_own(&mut members, &stored(), self.own);
        }
        Ok(members)
    }

    /// The same for an object that has members which only Beadle knows, at these paths: a PUT
    /// that does not name them keeps them.
    #[must_use]
    pub fn keeping(self, own: &'static [&'static str]) -> Self {
        Self { own, ..self }
    }
}

fn members(json: Value) -> Result<Map<String, Value>, ApiError> {
    match json {
        Value::Object(members) => Ok(members),
        _ => Err(no_object()),
    }
}

fn no_object() -> ApiError {
    let message = "the body is JSON, but no object; send an object";
    Errors::general_because(General::InvalidJson, message).into()
}

/// Bytes on their way to us. What has come is kept, so that whoever stops waiting for the rest
/// may go on later.
pub struct Incoming {
    payload: Payload,
    announced: Option<usize>,
    limit: usize,
    patience: Duration,
    arrived: BytesMut,
    /// How it ended, once it has: a payload must not be asked again.
    end: Option<Result<(), ApiError>>,
}

impl Incoming {
    /// What follows the headers of this request, up to `limit` bytes.
    #[must_use]
    pub fn new(request: &HttpRequest, payload: Payload, limit: usize) -> Self {
        let announced = announced_length(request);
        let too_large = announced.is_some_and(|length| length > limit);
        Self {
            payload,
            announced,
            limit,
            patience: LONGEST,
            arrived: BytesMut::new(),
            end: too_large.then_some(Err(ApiError::TooLarge { limit })),
        }
    }

    /// Whether it was said beforehand that there are no more than so many bytes.
    pub(crate) fn is_within(&self, length: usize) -> bool {
        self.announced.is_some_and(|announced| announced <= length)
    }

    /// Waits until nothing more will come.
    pub(crate) async fn end(&mut self) {
        while self.end.is_none() {
            self.end = match self.payload.next().await {
                Some(chunk) => self.keep(chunk).err().map(Err),
                None => Some(Ok(())),
            };
        }
    }

    fn keep(&mut self, chunk: Result<Bytes, PayloadError>) -> Result<(), ApiError> {
        let chunk = chunk.map_err(unreadable)?;
        let limit = self.limit;
        if self.arrived.len().saturating_add(chunk.len()) > limit {
            return Err(ApiError::TooLarge { limit });
        }
        self.arrived.extend_from_slice(&chunk);
        Ok(())
    }

    /// All that was sent.
    ///
    /// # Errors
    /// [`ApiError::TooLarge`] beyond the limit, [`ApiError::BadRequest`] if it breaks off or
    /// takes too long.
    pub(crate) async fn bytes(&mut self) -> Result<BytesMut, ApiError> {
        let patience = self.patience;
        if timeout(patience, self.end()).await.is_err() {
            let why = format!("not all of it was there within {patience:?}");
            self.end = Some(Err(unreadable(why).into()));
        }
        match &self.end {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(())) | None => Ok(self.arrived.split()),
        }
    }
}

fn unreadable(why: impl Display) -> Errors {
    Errors::general_because(
        General::InvalidJson,
        format!("the body cannot be read: {why}"),
    )
}

fn announced_length(request: &HttpRequest) -> Option<usize> {
    let header = request.headers().get(CONTENT_LENGTH)?;
    header.to_str().ok()?.parse().ok()
}

/// Reads the body of any method, DELETE included.
///
/// # Errors
/// [`ApiError::BadRequest`] if there is none, if its media type is not JSON, or if it
/// cannot be parsed; [`ApiError::TooLarge`] if there is too much of it.
pub async fn read_body(request: &HttpRequest, incoming: &mut Incoming) -> Result<Body, ApiError> {
    let patch = media_type(request)?;
    let bytes = incoming.bytes().await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::general(General::Missing));
    }
    shape::check(&bytes)?;
    // The parser refuses invalid UTF-8.
    let json = serde_json::from_slice(&bytes).map_err(|error| {
        Errors::general_because(
            General::InvalidJson,
            format!("the body is not JSON: {error}"),
        )
    })?;
    match json {
        Value::Null => Err(ApiError::general(General::Missing)),
        json => Ok(Body {
            json,
            patch,
            own: &[],
        }),
    }
}

fn media_type(request: &HttpRequest) -> Result<Option<PatchKind>, ApiError> {
    let media_type = request.content_type();
    let kind = PatchKind::of_media_type(media_type);
    if request.method() == Method::PATCH && !media_type.is_empty() {
        return match kind {
            Some(kind) => Ok(Some(kind)),
            None => Err(ApiError::general(General::PatchNotSupported)),
        };
    }
    match kind {
        Some(PatchKind::Merge) => Ok(None),
        _ => Err(ApiError::general(General::Missing)),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::test::TestRequest;
    use futures_util::{FutureExt, stream};
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;

    async fn read(method: Method, media_type: Option<&str>, body: &str) -> Result<Body, String> {
        let mut request = TestRequest::default()
            .method(method)
            .set_payload(body.to_owned());
        if let Some(media_type) = media_type {
            request = request.insert_header((CONTENT_TYPE, media_type));
        }
        let (request, payload) = request.to_http_parts();
        read_body(&request, &mut Incoming::new(&request, payload, 64))
            .await
            .map_err(|error| match error {
                ApiError::BadRequest(errors) => errors.to_json()["generalErrors"][0]["code"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                other => other.to_string(),
            })
    }

    #[actix_web::test]
    async fn only_json_is_read() {
        for media_type in [
            "application/json",
            "application/json; charset=UTF-8",
            "Application/JSON",
        ] {
            assert!(
                read(Method::POST, Some(media_type), "{}").await.is_ok(),
                "{media_type}"
            );
            assert!(
                read(Method::DELETE, Some(media_type), "{}").await.is_ok(),
                "{media_type}"
            );
        }
        for media_type in [
            None,
            Some("text/plain"),
            Some("application/merge-patch+json"),
        ] {
            assert_eq!(
                read(Method::POST, media_type, "{}").await,
                Err("[missing]".to_owned()),
                "{media_type:?}"
            );
        }
    }

    #[actix_web::test]
    async fn a_patch_has_three_media_types() {
        let kind = |body: Result<Body, String>| body.map(|body| body.patch);
        for (media_type, expected) in [
            (Some("application/json"), Ok(Some(PatchKind::Merge))),
            (
                Some("application/merge-patch+json"),
                Ok(Some(PatchKind::MergePatch)),
            ),
            (
                Some("application/json-patch+json"),
                Ok(Some(PatchKind::JsonPatch)),
            ),
            (Some("text/plain"), Err("[PatchNotSupported]".to_owned())),
            (None, Err("[missing]".to_owned())),
        ] {
            assert_eq!(
                kind(read(Method::PATCH, media_type, "[]").await),
                expected,
                "{media_type:?}"
            );
        }
    }

    #[actix_web::test]
    async fn what_cannot_be_read_has_its_own_codes() {
        let json = Some("application/json");
        let deep = "[".repeat(60);
        for (body, code) in [
            ("", "[missing]"),
            (" \n", "[missing]"),
            ("null", "[missing]"),
            ("{", "[invalidJSON]"),
            ("{}{}", "[invalidJSON]"),
            (deep.as_str(), "[invalidJSON]"),
        ] {
            assert_eq!(
                read(Method::POST, json, body).await,
                Err(code.to_owned()),
                "{body}"
            );
        }
        let large = format!("\"{}\"", "x".repeat(64));
        assert!(
            read(Method::POST, json, &large)
                .await
                .unwrap_err()
                .contains("larger")
        );
    }

    /// What is sent in pieces, and a body that reads them.
    fn in_pieces() -> (UnboundedSender<Result<Bytes, PayloadError>>, Incoming) {
        let (sender, mut pieces) = unbounded_channel();
        let pieces = stream::poll_fn(move |context| pieces.poll_recv(context));
        let payload: Payload = Payload::Stream {
            payload: Box::pin(pieces),
        };
        let (request, _) = TestRequest::default().to_http_parts();
        (sender, Incoming::new(&request, payload, 8))
    }

    #[actix_web::test]
    async fn whoever_stops_waiting_may_go_on_later() {
        let (sender, mut incoming) = in_pieces();
        for piece in ["ab", "cd"] {
            sender.send(Ok(Bytes::from(piece))).unwrap();
            assert_eq!(incoming.end().now_or_never(), None);
        }
        drop(sender);
        assert_eq!(incoming.end().now_or_never(), Some(()));
        assert_eq!(incoming.bytes().await.unwrap(), "abcd");
    }

    #[actix_web::test]
    async fn a_body_that_broke_off_is_not_asked_for_again() {
        let (sender, mut incoming) = in_pieces();
        sender.send(Ok(Bytes::from("ab"))).unwrap();
        let broken = Err(PayloadError::Incomplete(None));
        sender.send(broken).unwrap();
        for _ in 0..2 {
            assert_eq!(incoming.end().now_or_never(), Some(()));
            let read = incoming.bytes().now_or_never().unwrap();
            assert!(matches!(read, Err(ApiError::BadRequest(_))), "{read:?}");
        }
    }

    #[actix_web::test]
    async fn nobody_is_waited_for_for_ever() {
        let (sender, mut incoming) = in_pieces();
        sender.send(Ok(Bytes::from("ab"))).unwrap();
        incoming.patience = Duration::ZERO;
        let read = incoming.bytes().await;
        assert!(matches!(read, Err(ApiError::BadRequest(_))), "{read:?}");
        sender.send(Ok(Bytes::from("cd"))).unwrap();
        assert!(incoming.bytes().await.is_err());
    }

    #[actix_web::test]
    async fn too_many_pieces_are_too_large_and_not_kept() {
        let (sender, mut incoming) = in_pieces();
        for _ in 0..3 {
            sender.send(Ok(Bytes::from("abc"))).unwrap();
        }
        let read = incoming.bytes().now_or_never().unwrap();
        assert!(matches!(read, Err(ApiError::TooLarge { limit: 8 })));
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(serde_json::from_str::<Value>(&deep).is_err());
    }
}
