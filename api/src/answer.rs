//! What successful answers look like: JSON, or nothing at all. Which members an object
//! has is decided by [`beadle_common::view`].

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// What a handler returns.
pub type Answer = Result<HttpResponse, ApiError>;

/// One official client drops bodies whose type does not start like this.
const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");

/// `200` with `{member: value}`.
#[must_use]
pub fn wrapped(member: &str, value: Value) -> HttpResponse {
    let mut object = Map::new();
    object.insert(member.to_owned(), value);
    json(&Value::Object(object))
}

/// `200` with this body.
#[must_use]
pub fn json(body: &Value) -> HttpResponse {
    with_json(&mut HttpResponse::Ok(), body)
}

/// `200` with `{member: value}`, for values that write themselves.
///
/// # Errors
/// [`ApiError::Internal`] if the value cannot be written as JSON.
pub fn serialized(member: &str, value: &impl Serialize) -> Answer {
    let body =
        serde_json::to_string(&BTreeMap::from([(member, value)])).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, JSON))
        .body(body))
}

/// `200` without a body.
#[must_use]
pub fn empty() -> HttpResponse {
    HttpResponse::new(StatusCode::OK)
}

/// Ends `response` with this body.
pub(crate) fn with_json(response: &mut HttpResponseBuilder, body: &Value) -> HttpResponse {
    response.insert_header((CONTENT_TYPE, JSON));
    response.body(body.to_string())
}
