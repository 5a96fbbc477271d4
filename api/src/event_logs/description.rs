//! What `/api/system/event-log` gives.

use beadle_common::model::event_log::EventLogType;

use crate::description::{
    Answer, At, END, INSERT_INSTANT, Kind, NOT_FOUND, Object, Operation, START, Search, TOTAL,
    given, shown, text,
};

const ENTRY: Object = Object::new(
    "EventLog",
    "Something that an operator should know.",
    &[
        shown("id", Kind::Integer(1, i64::MAX), "Counts the entries."),
        INSERT_INSTANT,
        shown("message", Kind::Text, "What happened."),
        shown(
            "type",
            Kind::Word(EventLogType::TEXTS),
            "How serious it is.",
        ),
    ],
);

const ONE: Object = Object::wrapper(&[shown("eventLog", Kind::Object(&ENTRY), "The entry.")]);

const FOUND: Object = Object::wrapper(&[
    shown(
        "eventLogs",
        Kind::List(&Kind::Object(&ENTRY)),
        "A page of them.",
    ),
    TOTAL,
]);

pub(super) const RETRIEVE: &[Operation] = &[Operation::new(
    "retrieveEventLog",
    "Retrieve an entry",
    &[Answer::ok("The entry.", &ONE), NOT_FOUND],
)
.at(At::Id)];

pub(super) const SEARCH_ENTRIES: &[Operation] = &[Operation::new(
    "searchEventLogs",
    "Search the entries",
    &[Answer::ok("A page of entries.", &FOUND)],
)
.search(&Search {
    criteria: &[
        text("message"),
        given(
            "type",
            Kind::Word(EventLogType::TEXTS),
            "How serious they are.",
        ),
        START,
        END,
    ],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
})];
