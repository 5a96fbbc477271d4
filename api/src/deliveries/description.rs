//! What `/api/delivery` takes and gives.

use beadle_common::deliveries::DeliveryStatus;
use beadle_common::locale::Match;
use beadle_common::outbox::{AttemptResult, DeliveryState};

use crate::description::{
    Answer, At, Content, END, INSERT_INSTANT, Kind, NOT_FOUND, Object, Operation, START, Search,
    TOTAL, given, must_give, shown, shown_maybe,
};

const KIND: Kind = Kind::Word(&["Webhook", "Email"]);
const STATUS: Kind = Kind::Integer(100, 999);

const ATTEMPT: Object = Object::new(
    "DeliveryAttempt",
    "One try.",
    &[
        shown_maybe("class", Kind::Text, "What kind of failure it was."),
        shown_maybe(
            "durationMillis",
            Kind::Integer(0, i64::MAX),
            "How long it took.",
        ),
        shown("instant", Kind::Instant, "When it began."),
        shown_maybe("message", Kind::Text, "What went wrong."),
        shown("number", Kind::Integer(1, i64::MAX), "Counts the attempts."),
        shown_maybe("responseExcerpt", Kind::Text, "How the answer begins."),
        shown("result", Kind::Word(AttemptResult::TEXTS), "How it went."),
        shown_maybe("statusCode", STATUS, "The status of the answer."),
    ],
);

const FAILURE: Object = Object::new(
    "DeliveryFailure",
    "What went wrong last.",
    &[
        shown("class", Kind::Text, "What kind of failure it was."),
        shown_maybe("message", Kind::Text, "What went wrong."),
        shown_maybe("statusCode", STATUS, "The status of the answer."),
    ],
);

const LOCALES: Object = Object::wrapper(&[
    shown_maybe("fromName", Kind::Locale, "Of the sender's name."),
    shown_maybe("html", Kind::Locale, "Of the HTML part."),
    shown_maybe("subject", Kind::Locale, "Of the subject."),
    shown_maybe("text", Kind::Locale, "Of the text part."),
]);

const TRAIL: Object = Object::new(
    "LocaleTrail",
    "How the language of a part of an email was chosen.",
    &[
        shown_maybe(
            "locale",
            Kind::Locale,
            "That of the translation; absent for the default text.",
        ),
        shown(
            "match",
            Kind::Word(Match::TEXTS),
            "How it follows from the preference: it is the same, another name for it, or what it inherits from by CLDR.",
        ),
        shown_maybe("preference", Kind::Locale, "Which one led to it."),
    ],
);

const TRAILS: Object = Object::wrapper(&[
    shown("fromName", Kind::Object(&TRAIL), "Of the sender's name."),
    shown("html", Kind::Object(&TRAIL), "Of the HTML part."),
    shown("subject", Kind::Object(&TRAIL), "Of the subject."),
    shown("text", Kind::Object(&TRAIL), "Of the text part."),
]);

const DELIVERY: Object = Object::new(
    "Delivery",
    "A webhook request or an email, on its way or there. Which members it has depends on its kind and on where it is.",
    &[
        shown_maybe("actionId", Kind::Id, "The action that an email tells of."),
        shown(
            "attempt",
            Kind::Integer(0, i64::MAX),
            "How many attempts there were.",
        ),
        shown(
            "attempts",
            Kind::List(&Kind::Object(&ATTEMPT)),
            "All of them.",
        ),
        shown_maybe(
            "circuit",
            Kind::Text,
            "Whether its receiver is spared for a while.",
        ),
        shown_maybe("emailId", Kind::Id, "The email."),
        shown_maybe("eventId", Kind::Id, "The event."),
        shown(
            "explanation",
            Kind::Text,
            "Why it is where it is, in a sentence.",
        ),
        shown("id", Kind::Id, "The delivery."),
        INSERT_INSTANT,
        shown("kind", KIND, "What it is."),
        shown_maybe("lastError", Kind::Object(&FAILURE), "What went wrong last."),
        shown_maybe(
            "leaseEndInstant",
            Kind::Instant,
            "Until when a worker has it.",
        ),
        shown_maybe("leaseOwner", Kind::Text, "The worker that has it."),
        shown_maybe("locale", Kind::Locale, "The language of an email."),
        shown_maybe(
            "localeTrail",
            Kind::Object(&TRAILS),
            "How the language of each part of an email was chosen.",
        ),
        shown_maybe(
            "locales",
            Kind::Object(&LOCALES),
            "The language of each part of an email.",
        ),
        shown_maybe("messageId", Kind::Text, "`Message-ID` of an email."),
        shown_maybe("nextInstant", Kind::Instant, "When it is tried next."),
        shown_maybe("predecessorId", Kind::Id, "The delivery that it waits for."),
        shown_maybe(
            "preferredLanguages",
            Kind::List(&Kind::Locale),
            "What the reader of an email preferred when it was written, best first: `locales` were chosen by it.",
        ),
        shown_maybe(
            "recipient",
            Kind::Text,
            "Whom this copy of an email is for.",
        ),
        shown_maybe("settleInstant", Kind::Instant, "When it was decided."),
        shown("state", Kind::Word(DeliveryStatus::TEXTS), "Where it is."),
        shown_maybe("subject", Kind::Text, "The subject of an email."),
        shown_maybe(
            "throttledUntilInstant",
            Kind::Instant,
            "Until when its receiver gets nothing.",
        ),
        shown_maybe("to", Kind::List(&Kind::Any), "The recipients of an email."),
        shown_maybe("userId", Kind::Id, "The user who is emailed."),
        shown_maybe("webhookId", Kind::Id, "The webhook."),
        shown_maybe(
            "webhookUrl",
            Kind::Text,
            "Its scheme and host: the rest may be a secret.",
        ),
    ],
);

const ONE: Object = Object::wrapper(&[shown("delivery", Kind::Object(&DELIVERY), "The delivery.")]);

const FOUND: Object = Object::wrapper(&[
    shown(
        "deliveries",
        Kind::List(&Kind::Object(&DELIVERY)),
        "A page of them.",
    ),
    TOTAL,
]);

const REPLAY: Object = Object::new(
    "Replay",
    "Which deliveries to make again: those that meet all of this.",
    &[
        given("dryRun", Kind::Flag, "Only counts them."),
        END,
        given("kind", KIND, "What they are."),
        START,
        given(
            "states",
            Kind::List(&Kind::Word(DeliveryState::TEXTS)),
            "Where they are; `Exhausted` if it is not said. Only what is decided can be replayed.",
        ),
        given("webhookId", Kind::Id, "Whom they were for."),
    ],
);

const REPLAYING: Object = Object::wrapper(&[must_give(
    "replay",
    Kind::Object(&REPLAY),
    "Which deliveries.",
)]);

const REPLAYED: Object = Object::wrapper(&[TOTAL]);

pub(super) const RETRIEVE: &[Operation] = &[Operation::new(
    "retrieveDelivery",
    "Retrieve a delivery",
    &[Answer::ok("The delivery.", &ONE), NOT_FOUND],
)
.at(At::Id)];

pub(super) const RESEND_DELIVERY: &[Operation] = &[Operation::new(
    "resendDelivery",
    "Make a delivery once more, now",
    &[
        Answer::ok("The delivery.", &ONE),
        NOT_FOUND,
        Answer::new(
            409,
            "A worker has it at this moment: `[retryableConflict]`.",
            Content::Errors,
        ),
    ],
)
.about("Under the same Id, so that a receiver can tell that it is the same.")];

pub(super) const REPLAY_DELIVERIES: &[Operation] = &[Operation::new(
    "replayDeliveries",
    "Make many deliveries once more",
    &[Answer::ok("How many.", &REPLAYED)],
)
.body(&REPLAYING)];

pub(super) const SEARCH_DELIVERIES: &[Operation] = &[Operation::new(
    "searchDeliveries",
    "Search the deliveries",
    &[Answer::ok("A page of deliveries.", &FOUND)],
)
.search(&Search {
    criteria: &[
        given("webhookId", Kind::Id, "Whom they are for."),
        given("eventId", Kind::Id, "What they tell of."),
        given("actionId", Kind::Id, "The action that they tell of."),
        given("userId", Kind::Id, "The user that they tell of."),
        given("kind", KIND, "What they are."),
        given(
            "state",
            Kind::Word(DeliveryStatus::TEXTS),
            "Where they are.",
        ),
        START,
        END,
    ],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
})];
