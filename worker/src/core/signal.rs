//! What an attempt leads to, whoever has made it: its record, what becomes of the delivery, and
//! what it says of its peer.

use beadle_common::outbox::{AttemptRecord, AttemptResult, DeliveryState, Disposition, PeerSignal};
use beadle_common::unix_millis::UnixMillis;

use crate::core::outcome::{Exchange, Failure, FailureKind, Outcome};
use crate::core::policy::{Next, RetrySchedule};

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

/// What becomes of a delivery whose attempt has failed at `now`. `position` is that of the attempt
/// in the schedule, from 1; `jitter` is from 0 to 1.
#[must_use]
pub fn after_failure(
    schedule: &RetrySchedule,
    position: u32,
    jitter: f64,
    failure: &Failure,
    now: UnixMillis,
) -> Disposition {
    let exhausted = Disposition::Finished(DeliveryState::Exhausted);
    if failure.kind == FailureKind::Gone {
        return Disposition::Hold;
    }
    if !failure.kind.may_retry() {
        return exhausted;
    }
    match schedule.next(position, jitter, failure.retry_after, now.millis()) {
        Next::Retry { at_millis } => Disposition::Retry {
            at: UnixMillis::from_millis(at_millis),
        },
        Next::Exhausted => exhausted,
    }
}

/// What an exchange with the peer says about its destination.
#[must_use]
pub fn peer_signal(outcome: &Outcome) -> PeerSignal {
    let Outcome::Failed(failure) = outcome else {
        return PeerSignal::Good;
    };
    match failure.kind {
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
