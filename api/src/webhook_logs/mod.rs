//! What was sent to webhooks, and how it went: `/api/system/webhook-event-log` and
//! `/api/system/webhook-attempt-log`. Read out of what the delivery keeps anyway.

mod retrieve;
mod search;
#[cfg(test)]
mod tests;
mod view;

use actix_web::web::{self, ServiceConfig};

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

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_webhook_event_logs))
            .route(web::post().to(search::search_webhook_event_logs)),
    );
    config.service(
        EVENT
            .resource()
            .route(web::get().to(retrieve::retrieve_webhook_event_log)),
    );
    config.service(
        ATTEMPT
            .resource()
            .route(web::get().to(retrieve::retrieve_webhook_attempt_log)),
    );
}
