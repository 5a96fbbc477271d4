//! The event log, what an operator should know about: `/api/system/event-log`.

mod description;
mod retrieve;
mod search;
#[cfg(test)]
mod tests;

use beadle_common::model::event_log::EventLog;
use beadle_common::view::{Absent, Members, View};

use crate::description::{Kind, Section};
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

pub(crate) fn routes() -> Section {
    Section::new("Event log", "What an operator should know.")
        .with(
            SEARCH
                .routes()
                .get(search::search_event_logs, description::SEARCH_ENTRIES)
                .post(search::search_event_logs, description::SEARCH_ENTRIES),
        )
        .with(
            ENDPOINT
                .routes()
                .path_kind(ENDPOINT.id, Kind::Integer(1, i64::MAX))
                .get(retrieve::retrieve_event_log, description::RETRIEVE),
        )
}

fn view(entry: &EventLog) -> View {
    Members::new(Absent::Omit)
        .with("id", entry.id)
        .with("insertInstant", entry.insert_instant)
        .with("message", &entry.message)
        .with("type", entry.event_type)
        .done()
}
