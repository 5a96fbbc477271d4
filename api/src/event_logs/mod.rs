//! The event log, what an operator should know about: `/api/system/event-log`.

mod retrieve;
mod search;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};
use beadle_common::model::event_log::EventLog;
use beadle_common::view::{Absent, Members};
use serde_json::Value;

use crate::extract::{Access, Endpoint};

const ENDPOINT: Endpoint = Endpoint {
    path: "/api/system/event-log",
    access: Access::Global,
    id: "eventLogId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/system/event-log/search",
    access: Access::Global,
    id: "",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_event_logs))
            .route(web::post().to(search::search_event_logs)),
    );
    config.service(
        ENDPOINT
            .resource()
            .route(web::get().to(retrieve::retrieve_event_log)),
    );
}

fn view(entry: &EventLog) -> Value {
    Members::new(Absent::Omit)
        .with("id", entry.id)
        .with("insertInstant", entry.insert_instant)
        .with("message", &entry.message)
        .with("type", entry.event_type)
        .done()
}
