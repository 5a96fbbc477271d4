//! The body of a request: read up to a limit, and parsed as JSON.

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::BytesMut;
use futures_util::StreamExt;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::errors::{Errors, General};
use crate::patch::PatchKind;

/// A body that was read and parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// What was sent.
    pub json: Value,
    /// How it changes what is stored, if the method is PATCH.
    pub patch: Option<PatchKind>,
}

impl Body {
    /// The members of a body that stands for itself.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if the JSON is no object.
    pub fn into_members(self) -> Result<Map<String, Value>, ApiError> {
        members(self.json)
    }

    /// What is to be stored: what was sent, or, if the method is PATCH, what that makes
    /// of `stored`, the object in its wrapper.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if the JSON is no object, or a patch that does not fit.
    pub fn onto(self, stored: impl FnOnce() -> Value) -> Result<Map<String, Value>, ApiError> {
        match self.patch {
            Some(kind) => members(kind.apply(stored(), self.json)?),
            None => members(self.json),
        }
    }
}

fn members(json: Value) -> Result<Map<String, Value>, ApiError> {
    match json {
        Value::Object(members) => Ok(members),
        _ => Err(Errors::general_because(
            General::InvalidJson,
            "the body is JSON, but no object; send an object",
        )
        .into()),
    }
}

/// Reads the body of any method, DELETE included.
///
/// # Errors
/// [`ApiError::BadRequest`] if there is none, if its media type is not JSON, or if it
/// cannot be parsed; [`ApiError::TooLarge`] beyond `limit`.
pub async fn read_body(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> Result<Body, ApiError> {
    let patch = media_type(request)?;
    let bytes = read_bytes(request, payload, limit).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::general(General::Missing));
    }
    // The parser refuses nesting that would exhaust the stack, and invalid UTF-8.
    let json = serde_json::from_slice(&bytes).map_err(|error| {
        Errors::general_because(
            General::InvalidJson,
            format!("the body is not JSON: {error}"),
        )
    })?;
    match json {
        Value::Null => Err(ApiError::general(General::Missing)),
        json => Ok(Body { json, patch }),
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

/// Reads what was sent, up to `limit` bytes.
pub(crate) async fn read_bytes(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> Result<BytesMut, ApiError> {
    if announced_length(request).is_some_and(|length| length > limit) {
        return Err(ApiError::TooLarge { limit });
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            Errors::general_because(
                General::InvalidJson,
                format!("the body cannot be read: {error}"),
            )
        })?;
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(ApiError::TooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn announced_length(request: &HttpRequest) -> Option<usize> {
    let header = request
        .headers()
        .get(actix_web::http::header::CONTENT_LENGTH)?;
    header.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::test::TestRequest;

    use super::*;

    async fn read(method: Method, media_type: Option<&str>, body: &str) -> Result<Body, String> {
        let mut request = TestRequest::default()
            .method(method)
            .set_payload(body.to_owned());
        if let Some(media_type) = media_type {
            request = request.insert_header((CONTENT_TYPE, media_type));
        }
        let (request, mut payload) = request.to_http_parts();
        read_body(&request, &mut payload, 64)
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

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(serde_json::from_str::<Value>(&deep).is_err());
    }
}
