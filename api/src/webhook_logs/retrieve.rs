//! `GET /api/system/webhook-event-log/{webhookEventLogId}` and
//! `GET /api/system/webhook-attempt-log/{webhookAttemptLogId}`

use beadle_common::deliveries::webhook_log::{AttemptId, LoggedAttempt, WebhookEventLog};
use beadle_common::id::EventId;

use super::view;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_webhook_event_log(call: Call) -> Answer {
    let id: EventId = call.required_id()?;
    let log = call
        .state()
        .read(move |connection| Ok(WebhookEventLog::find(connection, id)?))
        .await?;
    let log = log.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped("webhookEventLog", view::event(&log)?))
}

pub(super) async fn retrieve_webhook_attempt_log(call: Call) -> Answer {
    let id: AttemptId = call.required_id()?;
    let attempt = call
        .state()
        .read(move |connection| Ok(LoggedAttempt::find(connection, id)?))
        .await?;
    let attempt = attempt.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(
        "webhookAttemptLog",
        view::attempt(&attempt),
    ))
}
