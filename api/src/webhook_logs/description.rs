//! What `/api/system/webhook-event-log` and `/api/system/webhook-attempt-log` give.

use beadle_common::deliveries::webhook_log::EventResult;

use crate::description::{
    Answer, At, Field, INSERT_INSTANT, Kind, NOT_FOUND, Object, Operation, Search, TOTAL, given,
    shown, shown_maybe, text,
};

const RESPONSE: Object = Object::wrapper(&[
    shown_maybe("exception", Kind::Text, "Why there was no answer."),
    shown_maybe(
        "statusCode",
        Kind::Integer(100, 999),
        "The status of the answer.",
    ),
    shown_maybe("url", Kind::Text, "Where it went."),
]);

const RESULT: Field = shown(
    "attemptResult",
    Kind::Word(&["Success", "Failure", "Unknown"]),
    "`Unknown`: nobody knows yet, or ever.",
);
const DATA: Field = shown("data", Kind::Data, "Always empty.");
const END_INSTANT: Field = shown_maybe("endInstant", Kind::Instant, "When it was over.");
const ID: Field = shown("id", Kind::Id, "The attempt.");
const START_INSTANT: Field = shown("startInstant", Kind::Instant, "When it began.");
const CALL: Field = shown(
    "webhookCallResponse",
    Kind::Object(&RESPONSE),
    "How it went.",
);
const WEBHOOK: Field = shown("webhookId", Kind::Id, "Whom it was sent to.");

const OWN_ATTEMPT: Object = Object::new(
    "WebhookEventLogAttempt",
    "One try to send an event, within its log.",
    &[RESULT, DATA, END_INSTANT, ID, START_INSTANT, CALL, WEBHOOK],
);

const ATTEMPT: Object = Object::new(
    "WebhookAttemptLog",
    "One try to send an event.",
    &[
        RESULT,
        DATA,
        END_INSTANT,
        ID,
        START_INSTANT,
        CALL,
        shown("webhookEventLogId", Kind::Id, "The log of the event."),
        WEBHOOK,
    ],
);

const LOG: Object = Object::new(
    "WebhookEventLog",
    "An event, and what became of it.",
    &[
        shown(
            "attempts",
            Kind::List(&Kind::Object(&OWN_ATTEMPT)),
            "Every try so far.",
        ),
        DATA,
        shown("event", Kind::Data, "The whole body that was sent."),
        shown(
            "eventResult",
            Kind::Word(EventResult::TEXTS),
            "What became of it.",
        ),
        shown("eventType", Kind::Text, "`user.action`"),
        shown("failedAttempts", Kind::Integer(0, i64::MAX), ""),
        shown("id", Kind::Id, "The event."),
        INSERT_INSTANT,
        shown_maybe(
            "lastAttemptInstant",
            Kind::Instant,
            "When it was tried last.",
        ),
        shown(
            "lastUpdateInstant",
            Kind::Instant,
            "When the last try was over.",
        ),
        shown_maybe("linkedObjectId", Kind::Id, "The user that it tells of."),
        shown("sequence", Kind::Integer(0, i64::MAX), "Counts the events."),
        shown("successfulAttempts", Kind::Integer(0, i64::MAX), ""),
    ],
);

const ONE_EVENT: Object = Object::wrapper(&[shown(
    "webhookEventLog",
    Kind::Object(&LOG),
    "The log of the event.",
)]);

const ONE_ATTEMPT: Object = Object::wrapper(&[shown(
    "webhookAttemptLog",
    Kind::Object(&ATTEMPT),
    "The attempt.",
)]);

const FOUND: Object = Object::wrapper(&[
    TOTAL,
    shown(
        "webhookEventLogs",
        Kind::List(&Kind::Object(&LOG)),
        "A page of them.",
    ),
]);

pub(super) const RETRIEVE_EVENT: &[Operation] = &[Operation::new(
    "retrieveWebhookEventLog",
    "Retrieve the log of an event",
    &[Answer::ok("The log.", &ONE_EVENT), NOT_FOUND],
)
.at(At::Id)];

pub(super) const RETRIEVE_ATTEMPT: &[Operation] = &[Operation::new(
    "retrieveWebhookAttemptLog",
    "Retrieve one attempt",
    &[Answer::ok("The attempt.", &ONE_ATTEMPT), NOT_FOUND],
)
.at(At::Id)];

pub(super) const SEARCH_EVENTS: &[Operation] = &[Operation::new(
    "searchWebhookEventLogs",
    "Search the logs of events",
    &[Answer::ok("A page of logs.", &FOUND)],
)
.search(&Search {
    criteria: &[
        text("event"),
        given(
            "eventResult",
            Kind::Word(EventResult::TEXTS),
            "What became of them.",
        ),
        given("eventType", Kind::Text, "`user.action`"),
        given(
            "start",
            Kind::Instant,
            "From this instant on: an hour ago, if it is not said.",
        ),
        given(
            "end",
            Kind::Instant,
            "Up to this instant: now, if it is not said.",
        ),
    ],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
})];
