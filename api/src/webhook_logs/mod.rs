//! What was sent to webhooks, and how it went: `/api/system/webhook-event-log` and
//! `/api/system/webhook-attempt-log`. Read out of what the delivery keeps anyway.

mod description;
mod retrieve;
mod search;
#[cfg(test)]
mod tests;
mod view;

use crate::description::Section;
use crate::extract::{Access, Endpoint};

const EVENT: Endpoint = Endpoint {
    path: "/api/system/webhook-event-log",
    access: Access::Global,
    id: "webhookEventLogId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/system/webhook-event-log/search",
    access: Access::Global,
    id: "",
};

const ATTEMPT: Endpoint = Endpoint {
    path: "/api/system/webhook-attempt-log",
    access: Access::Global,
    id: "webhookAttemptLogId",
};

pub(crate) fn routes() -> Section {
    Section::new(
        "Webhook logs",
        "What was sent to webhooks, and how it went.",
    )
    .with(
        SEARCH
            .routes()
            .get(
                search::search_webhook_event_logs,
                description::SEARCH_EVENTS,
            )
            .post(
                search::search_webhook_event_logs,
                description::SEARCH_EVENTS,
            ),
    )
    .with(EVENT.routes().get(
        retrieve::retrieve_webhook_event_log,
        description::RETRIEVE_EVENT,
    ))
    .with(ATTEMPT.routes().get(
        retrieve::retrieve_webhook_attempt_log,
        description::RETRIEVE_ATTEMPT,
    ))
}
