//! [`ApiError`]: how a request fails, and the only place that turns it into HTTP.

use std::error::Error as StdError;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use beadle_common::db::{DbError, QueryError};
use beadle_common::lifecycle::Conflict;
use beadle_common::outbox::EraseError;
use beadle_common::resources::ResourceError;

use crate::errors::{Errors, General, Prefix};

/// One official client drops bodies whose type does not start like this.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");

/// Why a request is refused. Each variant is one status.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// `400 Bad Request` with everything that is wrong.
    #[error("the request is not valid")]
    BadRequest(Errors),
    /// `401 Unauthorized`, empty: no key, or one that may not do this. There is no 403,
    /// so that nobody learns which of the two it was.
    #[error("the key does not allow this")]
    Unauthorized,
    /// `404 Not Found`, empty.
    #[error("there is no such object")]
    NotFound,
    /// `409 Conflict`: another change came in between, doing the same again may succeed.
    #[error("another change came in between")]
    Conflict,
    /// `413 Content Too Large`.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// `422 Unprocessable Content`: an `Idempotency-Key` came back with another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// `500 Internal Server Error`, empty: the cause is in the log, not in the answer.
    #[error("an internal error")]
    Internal(#[source] Arc<dyn StdError + Send + Sync>),
    /// `503 Service Unavailable`: too many want the same thing at once.
    #[error("too many wait already")]
    Busy,
    /// `503 Service Unavailable`: the database cannot be used right now.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// `504 Gateway Timeout`: too few receivers agreed to a transactional event.
    #[error("{agreed} of {asked} webhooks agreed")]
    TransactionFailed {
        /// How many agreed.
        agreed: usize,
        /// How many were asked.
        asked: usize,
    },
}

impl ApiError {
    /// A fault that is not the caller's.
    pub fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let error: Box<dyn StdError + Send + Sync> = error.into();
        Self::Internal(error.into())
    }

    /// Refuses for one member or parameter.
    #[must_use]
    pub fn field(prefix: Prefix, path: &str) -> Self {
        Self::BadRequest(Errors::field(prefix, path))
    }

    /// Refuses the request as a whole.
    #[must_use]
    pub fn general(problem: General) -> Self {
        Self::BadRequest(Errors::general(problem))
    }

    /// The errors object, for the statuses that carry one.
    fn errors(&self) -> Option<Errors> {
        let (code, message) = match self {
            Self::BadRequest(errors) => return Some(errors.clone()),
            Self::Conflict => (
                "[retryableConflict]",
                "another change came in between, try again",
            ),
            Self::TooLarge { .. } => (
                "[RequestTooLarge]",
                "the body is too large, send less at once",
            ),
            Self::IdempotencyKeyReused => (
                "[IdempotencyKeyReused]",
                "this Idempotency-Key belongs to another request, use a new one",
            ),
            Self::Busy => (
                "[TooBusy]",
                "too many logins and passwords wait already, try again in a moment",
            ),
            Self::Unavailable(_) => (
                "[DatabaseUnavailable]",
                "the database is not available right now, try again in a moment",
            ),
            Self::TransactionFailed { agreed, asked } => {
                let code = "[WebhookTransactionException]";
                let message = format!(
                    "{agreed} of {asked} webhooks agreed, too few for the transaction type: \
                     nothing was done"
                );
                return Some(Errors::general_code(code, message));
            }
            Self::Unauthorized | Self::NotFound | Self::Internal(_) => return None,
        };
        Some(Errors::general_code(code, message))
    }

    /// Logs what an operator has to know. Called once per refused request, or where there is
    /// nobody left to refuse.
    pub(crate) fn log(&self) {
        match self {
            Self::Internal(cause) => {
                tracing::error!("the request failed: {}", chain(cause.as_ref()))
            }
            Self::Unavailable(reason) => tracing::warn!("the database is not available: {reason}"),
            _ => {}
        }
    }
}

/// An error and its causes in one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TransactionFailed { .. } => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        let mut response = HttpResponse::build(self.status_code());
        if matches!(self, Self::Busy | Self::Unavailable(_)) {
            response.insert_header((RETRY_AFTER, "1"));
        }
        match self.errors() {
            Some(errors) => response
                .insert_header((CONTENT_TYPE, JSON))
                .body(errors.to_json().to_string()),
            None => response.finish(),
        }
    }
}

impl From<ResourceError> for ApiError {
    fn from(error: ResourceError) -> Self {
        match error {
            ResourceError::Invalid(errors) => Self::BadRequest(errors),
            ResourceError::NotFound => Self::NotFound,
            ResourceError::Conflict => Self::Conflict,
            ResourceError::TooLarge { limit } => Self::TooLarge { limit },
            ResourceError::Unavailable(reason) => Self::Unavailable(reason),
            ResourceError::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<EraseError> for ApiError {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Busy => Self::Conflict,
            EraseError::Database(error) => error.into(),
        }
    }
}

impl From<Conflict> for ApiError {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Changed => Self::Conflict,
            Conflict::Database(error) => error.into(),
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        ResourceError::from(error).into()
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        DbError::from(error).into()
    }
}

impl From<Errors> for ApiError {
    fn from(errors: Errors) -> Self {
        Self::BadRequest(errors)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::http::header::CONTENT_TYPE;

    use super::*;

    async fn shown(error: ApiError) -> (u16, Option<String>, String) {
        let response = error.error_response();
        let status = response.status().as_u16();
        let media = response
            .headers()
            .get(CONTENT_TYPE)
            .map(|value| value.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body()).await.unwrap();
        (status, media, String::from_utf8(body.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn refusals_without_a_body_have_no_content_type() {
        for (error, status) in [
            (ApiError::Unauthorized, 401),
            (ApiError::NotFound, 404),
            (ApiError::internal("a secret of ours"), 500),
        ] {
            assert_eq!(shown(error).await, (status, None, String::new()));
        }
    }

    #[actix_web::test]
    async fn refusals_with_a_body_carry_the_errors_object() {
        for (error, status, code) in [
            (ApiError::general(General::Missing), 400, "[missing]"),
            (ApiError::Conflict, 409, "[retryableConflict]"),
            (ApiError::TooLarge { limit: 1 }, 413, "[RequestTooLarge]"),
            (
                ApiError::IdempotencyKeyReused,
                422,
                "[IdempotencyKeyReused]",
            ),
            (ApiError::Busy, 503, "[TooBusy]"),
            (
                ApiError::Unavailable("gone".into()),
                503,
                "[DatabaseUnavailable]",
            ),
            (
                ApiError::TransactionFailed {
                    agreed: 1,
                    asked: 3,
                },
                504,
                "[WebhookTransactionException]",
            ),
        ] {
            let (given, media, body) = shown(error).await;
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(given, status);
            assert_eq!(media.as_deref(), Some("application/json;charset=UTF-8"));
            assert_eq!(body["generalErrors"][0]["code"], code);
            assert_eq!(body["fieldErrors"], serde_json::json!({}));
        }
    }

    #[test]
    fn what_passes_asks_to_come_back() {
        for error in [ApiError::Busy, ApiError::Unavailable("gone".into())] {
            let response = error.error_response();
            assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "1");
        }
    }
}
