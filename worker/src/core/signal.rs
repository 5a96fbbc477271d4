//! What is written down of an attempt and of its peer, whoever has made it.

use beadle_common::outbox::{AttemptRecord, AttemptResult, PeerSignal};
use beadle_common::unix_millis::UnixMillis;

use crate::core::outcome::{Exchange, FailureKind, Outcome};

/// The record of an exchange that began at `started`.
#[must_use]
pub fn record(started: UnixMillis, exchange: &Exchange) -> AttemptRecord {
    let failure = exchange.outcome.failure();
    AttemptRecord {
        instant: started,
        duration_millis: i32::try_from(exchange.duration.as_millis()).unwrap_or(i32::MAX),
        result: match exchange.outcome {
            Outcome::Delivered => AttemptResult::Success,
            Outcome::Failed(_) => AttemptResult::Failure,
        },
        status_code: exchange.status_code.map(i32::from),
        class: failure.map(|failure| failure.class.as_str().to_owned()),
        message: failure.map(|failure| storable(&failure.message)),
        response_excerpt: exchange.excerpt.as_deref().map(storable),
    }
}

/// What an exchange with the peer says about its destination.
#[must_use]
pub fn peer_signal(outcome: &Outcome) -> PeerSignal {
    let Outcome::Failed(failure) = outcome else {
        return PeerSignal::Good;
    };
    match failure.verdict {
        // Every other mail of the server would meet the same refusal.
        FailureKind::Throttle | FailureKind::Credentials => {
            PeerSignal::Overloaded(failure.retry_after)
        }
        FailureKind::Gone => PeerSignal::Gone,
        // The peer works, and says so about one message.
        FailureKind::Deferred | FailureKind::Refused | FailureKind::BadRecipient => {
            PeerSignal::Good
        }
        FailureKind::Retry => PeerSignal::Bad,
    }
}

/// PostgreSQL refuses texts with a zero byte, and what is written with them.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
