//! What `/api/system/audit-log` takes and gives.

use crate::description::{
    Answer, At, END, INSERT_INSTANT, Kind, NOT_FOUND, Object, Operation, START, Search, TOTAL,
    defaulted, given, optional, required, shown, shown_maybe, text,
};

const ENTRY: Object = Object::new(
    "AuditLog",
    "Who did what. Beadle adds one for each change of the configuration.",
    &[
        defaulted("data", Kind::Data, "{}", "Anything."),
        shown("id", Kind::Integer(1, i64::MAX), "Counts the entries."),
        INSERT_INSTANT,
        required("insertUser", Kind::ShortText(255), "Who did it."),
        required("message", Kind::ShortText(65_535), "What was done."),
        optional("newValue", Kind::Any, "What it is now."),
        optional("oldValue", Kind::Any, "What it was."),
        optional("reason", Kind::ShortText(65_535), "Why."),
        shown_maybe("tenantId", Kind::Id, "The tenant of the request."),
    ],
);

const ONE: Object = Object::wrapper(&[required("auditLog", Kind::Object(&ENTRY), "The entry.")]);

const FOUND: Object = Object::wrapper(&[
    shown(
        "auditLogs",
        Kind::List(&Kind::Object(&ENTRY)),
        "A page of them.",
    ),
    TOTAL,
]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createAuditLog",
    "Write an entry",
    &[Answer::ok("The entry.", &ONE)],
)
.at(At::NoId)
.body(&ONE)];

pub(super) const RETRIEVE: &[Operation] = &[Operation::new(
    "retrieveAuditLog",
    "Retrieve an entry",
    &[Answer::ok("The entry.", &ONE), NOT_FOUND],
)
.at(At::Id)];

pub(super) const SEARCH_ENTRIES: &[Operation] = &[Operation::new(
    "searchAuditLogs",
    "Search the entries",
    &[Answer::ok("A page of entries.", &FOUND)],
)
.search(&Search {
    criteria: &[
        text("message"),
        text("user"),
        text("oldValue"),
        text("newValue"),
        text("reason"),
        given(
            "tenantId",
            Kind::Id,
            "The tenant of the request that wrote it.",
        ),
        START,
        END,
    ],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
})];
