//! What successful answers look like: JSON, or nothing at all. Which members an object
//! has is decided by [`beadle_common::view`].

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::ApiError;

/// What a handler returns.
pub type Answer = Result<HttpResponse, ApiError>;

/// One official client drops bodies whose type does not start like this.
const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");

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
    pub fn wrapped(member: &str, value: Value) -> Self {
        let mut object = Map::new();
        object.insert(member.to_owned(), value);
        Self::json(&Value::Object(object))
    }

    /// `200` with this body.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self::of(StatusCode::OK, Some(body.to_string()))
    }

    /// `200` with `{member: value}`, for values that write themselves.
    ///
    /// # Errors
    /// [`ApiError::Internal`] if the value cannot be written as JSON.
    pub fn serialized(member: &str, value: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_string(&BTreeMap::from([(member, value)]))
            .map_err(ApiError::internal)?;
        Ok(Self::of(StatusCode::OK, Some(body)))
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
pub fn wrapped(member: &str, value: Value) -> HttpResponse {
    Reply::wrapped(member, value).into()
}

/// `200` with this body.
#[must_use]
pub fn json(body: &Value) -> HttpResponse {
    Reply::json(body).into()
}

/// `200` with `{member: value}`, for values that write themselves.
///
/// # Errors
/// [`ApiError::Internal`] if the value cannot be written as JSON.
pub fn serialized(member: &str, value: &impl Serialize) -> Answer {
    Ok(Reply::serialized(member, value)?.into())
}

/// `200` without a body.
#[must_use]
pub fn empty() -> HttpResponse {
    Reply::empty().into()
}

/// Ends `response` with this body.
pub(crate) fn with_json(response: &mut HttpResponseBuilder, body: &Value) -> HttpResponse {
    response.insert_header((CONTENT_TYPE, JSON));
    response.body(body.to_string())
}
