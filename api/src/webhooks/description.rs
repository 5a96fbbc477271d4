//! What `/api/webhook` takes and gives.

use beadle_common::model::webhook::SecretKind;
use beadle_common::resources::Searchable;
use beadle_common::resources::webhooks::{CRITERIA, ROTATION, WEBHOOK, WebhookResource};

use crate::description::{
    Answer, At, INSERT_INSTANT, Kind, NOT_FOUND, Object, Operation, Search, TOTAL, given, required,
    shown, shown_maybe,
};

const ONE: Object = Object::wrapper(&[required("webhook", Kind::Object(&WEBHOOK), "The webhook.")]);

const ALL: Object = Object::wrapper(&[shown(
    "webhooks",
    Kind::List(&Kind::Object(&WEBHOOK)),
    "The newest first.",
)]);

const FOUND: Object = Object::wrapper(&[
    TOTAL,
    shown(
        "webhooks",
        Kind::List(&Kind::Object(&WEBHOOK)),
        "A page of them.",
    ),
]);

const SECRET: Object = Object::new(
    "WebhookSecret",
    "What requests to a webhook are signed with.",
    &[
        shown_maybe("expirationInstant", Kind::Instant, "When it stops signing."),
        shown("id", Kind::Id, "The secret's Id."),
        INSERT_INSTANT,
        shown_maybe(
            "publicKey",
            Kind::Text,
            "What the receiver verifies with: `v1a`.",
        ),
        shown(
            "secret",
            Kind::Text,
            "What signs, and what the receiver of `v1` verifies with.",
        ),
        shown(
            "type",
            Kind::Word(SecretKind::TEXTS),
            "The tag of its signatures.",
        ),
    ],
);

const SECRETS: Object = Object::wrapper(&[shown(
    "secrets",
    Kind::List(&Kind::Object(&SECRET)),
    "Those that sign now, the newest first.",
)]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createWebhook",
    "Create a webhook",
    &[Answer::ok(
        "The webhook, this once with its signing secret.",
        &ONE,
    )],
)
.body(&ONE)];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveWebhooks",
        "List the webhooks",
        &[Answer::ok("The webhooks.", &ALL)],
    )
    .at(At::NoId),
    Operation::new(
        "retrieveWebhook",
        "Retrieve a webhook",
        &[Answer::ok("The webhook.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateWebhook",
    "Replace a webhook",
    &[Answer::ok("The webhook.", &ONE), NOT_FOUND],
)
.at(At::Id)
.body(&ONE)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchWebhook",
    "Change parts of a webhook",
    &[Answer::ok("The webhook.", &ONE), NOT_FOUND],
)
.at(At::Id)
.patch(&ONE)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteWebhook",
    "Delete a webhook",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.at(At::Id)];

pub(super) const SEARCH_WEBHOOKS: &[Operation] = &[Operation::new(
    "searchWebhooks",
    "Search the webhooks",
    &[Answer::ok("A page of webhooks.", &FOUND)],
)
.search(&Search {
    criteria: CRITERIA,
    order: WebhookResource::ORDER,
    default_order: WebhookResource::DEFAULT_ORDER,
})];

pub(super) const RETRIEVE_SECRETS: &[Operation] = &[Operation::new(
    "retrieveWebhookSecrets",
    "List the signing secrets of a webhook",
    &[Answer::ok("The secrets.", &SECRETS), NOT_FOUND],
)];

pub(super) const ROTATE_SECRET: &[Operation] = &[Operation::new(
    "rotateWebhookSecret",
    "Give a webhook a new signing secret",
    &[Answer::ok("The secrets.", &SECRETS), NOT_FOUND],
)
.maybe_body(&ROTATION)];

pub(super) const ENABLE_WEBHOOK: &[Operation] = &[Operation::new(
    "enableWebhook",
    "Enable a disabled webhook, and send what is held",
    &[Answer::ok("The webhook.", &ONE), NOT_FOUND],
)];

const TEST: Object = Object::wrapper(&[given(
    "message",
    Kind::ShortText(1000),
    "`event.message` of the test.",
)]);

const TESTED: Object = Object::wrapper(&[shown(
    "delivery",
    Kind::Object(&Object::wrapper(&[
        shown("eventId", Kind::Id, "The event, of the type `test`."),
        shown("id", Kind::Id, "The delivery, to ask for how it went."),
        shown("webhookId", Kind::Id, "The webhook."),
    ])),
    "What is on its way.",
)]);

pub(super) const TEST_WEBHOOK: &[Operation] = &[Operation::new(
    "testWebhook",
    "Send a webhook a test",
    &[Answer::ok("What is on its way.", &TESTED), NOT_FOUND],
)
.maybe_body(&TEST)];

const PUBLIC_KEY: Object = Object::new(
    "WebhookPublicKey",
    "What a receiver verifies signatures of the type `v1a` with.",
    &[
        shown_maybe("expirationInstant", Kind::Instant, "When it stops signing."),
        shown("id", Kind::Id, "The secret's Id."),
        INSERT_INSTANT,
        shown_maybe("publicKey", Kind::Text, "`whpk_` and base64."),
        shown(
            "type",
            Kind::Word(SecretKind::TEXTS),
            "The tag of its signatures.",
        ),
    ],
);

const KEYS_BY_WEBHOOK: Object = Object::wrapper(&[shown(
    "webhooks",
    Kind::Map(&Kind::List(&Kind::Object(&PUBLIC_KEY))),
    "By the Id of the webhook, the newest first.",
)]);

pub(super) const PUBLIC_KEYS: &[Operation] = &[Operation::new(
    "retrieveWebhookPublicKeys",
    "The public keys of all webhooks, for receivers",
    &[Answer::ok("The keys.", &KEYS_BY_WEBHOOK)],
)];
