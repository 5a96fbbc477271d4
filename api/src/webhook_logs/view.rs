//! Events and attempts as the API shows them.

use beadle_common::deliveries::webhook_log::{LoggedAttempt, WebhookEventLog};
use beadle_common::outbox::{Attempt, AttemptResult};
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{Absent, Members, View};
use serde_json::Map;
use serde_json::value::RawValue;

use crate::error::ApiError;

/// With the whole body that was sent.
pub(super) fn event(log: &WebhookEventLog) -> Result<View, ApiError> {
    let event = &log.event;
    let body: &RawValue = serde_json::from_str(&event.body).map_err(ApiError::internal)?;
    let count = |result| {
        let attempts = log.attempts.iter();
        attempts
            .filter(|logged| logged.attempt.result == result)
            .count()
    };
    let ends = log.attempts.iter().map(|logged| end(&logged.attempt));
    let last_update = ends.max().unwrap_or(event.insert_instant);
    Ok(Members::new(Absent::Omit)
        .with(
            "attempts",
            log.attempts
                .iter()
                .map(|attempt| members(attempt).done())
                .collect::<Vec<View>>(),
        )
        .with("data", Map::new())
        .with("event", body)
        .with("eventResult", log.result)
        .with("eventType", &event.event_type)
        .with("failedAttempts", count(AttemptResult::Failure))
        .with("id", event.id)
        .with("insertInstant", event.insert_instant)
        .maybe("lastAttemptInstant", log.last_attempt())
        .with("lastUpdateInstant", last_update)
        .maybe("linkedObjectId", event.linked_object_id)
        .with("sequence", event.sequence)
        .with("successfulAttempts", count(AttemptResult::Success))
        .done())
}

/// An attempt that stands for itself names its event.
pub(super) fn attempt(logged: &LoggedAttempt) -> View {
    members(logged)
        .with("webhookEventLogId", logged.event)
        .done()
}

fn members(logged: &LoggedAttempt) -> Members {
    let attempt = &logged.attempt;
    let response = Members::new(Absent::Omit)
        .maybe("exception", exception(attempt))
        .maybe("statusCode", attempt.status_code)
        .maybe("url", logged.url.as_ref())
        .done();
    Members::new(Absent::Omit)
        .with("attemptResult", attempt.result)
        .with("data", Map::new())
        .maybe("endInstant", attempt.duration_millis.map(|_| end(attempt)))
        .with("id", logged.id.to_string())
        .with("startInstant", attempt.instant)
        .with("webhookCallResponse", response)
        .with("webhookId", logged.webhook)
}

/// When the attempt was over; if nobody knows, when it began.
fn end(attempt: &Attempt) -> UnixMillis {
    let duration = i64::from(attempt.duration_millis.unwrap_or(0));
    UnixMillis::from_millis(attempt.instant.millis().saturating_add(duration))
}

/// Why there was no answer; one with another status speaks for itself.
fn exception(attempt: &Attempt) -> Option<String> {
    if attempt.status_code.is_some() {
        return None;
    }
    match (&attempt.class, &attempt.message) {
        (Some(class), Some(message)) => Some(format!("{class}: {message}")),
        (class, message) => message.clone().or_else(|| class.clone()),
    }
}
