//! What successful answers look like: JSON, or nothing at all. Which members an object
//! has is decided by [`beadle_common::view`].

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::Stream;
use serde::{Deserialize, Serialize};

use crate::error::{ApiError, JSON};

/// What a handler returns.
pub type Answer = Result<HttpResponse, ApiError>;

/// A successful answer before it becomes HTTP: it can be made where a change is written,
/// and stored with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    status: u16,
    body: Option<String>,
}

impl Reply {
    /// `200` with `{member: value}`.
    #[must_use]
    pub fn wrapped(member: &str, value: impl Serialize) -> Self {
        Self::json(&BTreeMap::from([(member, value)]))
    }

    /// `200` with this body.
    #[must_use]
    pub fn json(body: &impl Serialize) -> Self {
        Self::of(StatusCode::OK, Some(text(body)))
    }

    /// `200` without a body.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(StatusCode::OK, None)
    }

    /// Any status, with a body of JSON or without one.
    #[must_use]
    pub fn of(status: StatusCode, body: Option<String>) -> Self {
        Self {
            status: status.as_u16(),
            body,
        }
    }
}

impl From<Reply> for HttpResponse {
    fn from(reply: Reply) -> Self {
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
        let mut response = Self::build(status);
        match reply.body {
            Some(body) => response.insert_header((CONTENT_TYPE, JSON)).body(body),
            None => response.finish(),
        }
    }
}

/// `200` with `{member: value}`.
#[must_use]
pub fn wrapped(member: &str, value: impl Serialize) -> HttpResponse {
    Reply::wrapped(member, value).into()
}

/// `200` with this body.
#[must_use]
pub fn json(body: &impl Serialize) -> HttpResponse {
    Reply::json(body).into()
}

/// `200` without a body.
#[must_use]
pub fn empty() -> HttpResponse {
    Reply::empty().into()
}

/// Ends `response` with this body.
pub(crate) fn with_json(response: &mut HttpResponseBuilder, body: &impl Serialize) -> HttpResponse {
    response.insert_header((CONTENT_TYPE, JSON));
    response.body(text(body))
}

/// `200` with JSON that is written already.
pub(crate) fn json_text(text: String) -> HttpResponse {
    Reply::of(StatusCode::OK, Some(text)).into()
}

/// `200` with JSON that is written while it is sent.
pub(crate) fn streamed<S>(pieces: S) -> HttpResponse
where
    S: Stream<Item = Result<Bytes, ApiError>> + 'static,
{
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, JSON));
    response.streaming(pieces)
}

/// Only maps with keys that are no strings cannot be written, and no answer has one.
fn text(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}
