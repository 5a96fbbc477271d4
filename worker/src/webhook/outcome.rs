//! Judges one HTTP exchange: from errors of the client, a status and the way
//! the body ended, to an [`Outcome`].

use std::time::Duration;

use hyper::StatusCode;
use hyper_util::client::legacy;

use super::connect::ConnectError;
use crate::core::outcome::{ErrorClass, Failure, FailureKind, Outcome, chain, find_cause};

/// How the reading of an answer's body ended.
#[derive(Debug)]
pub(super) enum BodyEnd {
    /// At its end.
    Complete,
    /// At our cap; the connection is given up.
    Capped,
    /// The deadline came first.
    Late,
    /// The connection broke, or the framing did.
    Broken(hyper::Error),
}

/// Judges an answer. Success needs a 2xx *and* a body that ends properly: a
/// receiver that dies halfway through its answer may have rolled back.
pub(super) fn classify_response(
    status: StatusCode,
    retry_after: Option<Duration>,
    end: &BodyEnd,
) -> Outcome {
    if !status.is_success() {
        return Outcome::Failed(Failure {
            class: ErrorClass::Http,
            message: describe(status),
            status_code: Some(status.as_u16()),
            retry_after,
            kind: FailureKind::of_status(status.as_u16()),
        });
    }
    let message = match end {
        BodyEnd::Complete | BodyEnd::Capped => return Outcome::Delivered,
        BodyEnd::Late => {
            format!("the receiver answered {status}, but its body did not end in time")
        }
        BodyEnd::Broken(error) => format!(
            "the receiver answered {status}, but its body broke off: {}",
            chain(error)
        ),
    };
    let failure = Failure::new(ErrorClass::Body, message);
    Outcome::Failed(failure.status(Some(status.as_u16())))
}

fn describe(status: StatusCode) -> String {
    let advice = match status.as_u16() {
        300..=399 => "; redirects are not followed, change the webhook's url",
        410 => "; it is gone for good",
        _ => "",
    };
    format!("the receiver answered {status}{advice}")
}

/// Nothing came before the deadline.
pub(super) fn no_answer(limit: Duration) -> Failure {
    let message = format!("the receiver did not answer within {limit:?}");
    Failure::new(ErrorClass::Timeout, message)
}

/// Judges a request that ended without an answer.
pub(super) fn broken(error: &legacy::Error) -> Failure {
    if let Some(cause) = find_cause::<ConnectError>(error) {
        return Failure::new(cause.class(), chain(cause));
    }
    // With TLS 1.3 a server's refusal (of a missing client certificate, say)
    // arrives only after the handshake seemed done.
    if let Some(cause) = find_cause::<rustls::Error>(error) {
        return Failure::new(ErrorClass::Tls, format!("TLS failed: {}", chain(cause)));
    }
    match find_cause::<hyper::Error>(error) {
        Some(cause) if cause.is_parse() => Failure::new(
            ErrorClass::Http,
            format!("the receiver's answer is not usable HTTP: {}", chain(cause)),
        ),
        Some(cause) => Failure::new(
            ErrorClass::Connect,
            format!("the connection ended before an answer: {}", chain(cause)),
        ),
        None => Failure::new(ErrorClass::Connect, chain(error)),
    }
}
