//! What `/api/webhook` takes and gives.

use beadle_common::model::webhook::SecretKind;

use crate::description::{
    Answer, At, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND, Object, Operation, Search,
    TOTAL, defaulted, given, optional, required, shown, shown_maybe, text,
};
use crate::input::LONGEST_NAME;

const MILLIS: Kind = Kind::Integer(1, 2_147_483_647);

const SIGNATURE: Object = Object::wrapper(&[
    defaulted(
        "enabled",
        Kind::Flag,
        "false",
        "Whether requests carry `X-FusionAuth-Signature-JWT` too.",
    ),
    optional(
        "signingKeyId",
        Kind::Id,
        "The key to sign with: one of all tenants, or of the only one that the webhook serves.",
    ),
]);

const WEBHOOK: Object = Object::new(
    "Webhook",
    "An address that events are sent to.",
    &[
        required(
            "connectTimeout",
            MILLIS,
            "Milliseconds to wait for a connection.",
        ),
        optional(
            "contactEmail",
            Kind::Email,
            "Who is told when it is disabled. A PUT without it keeps it, and null removes it.",
        ),
        defaulted("data", Kind::Data, "{}", "Anything."),
        optional("description", Kind::ShortText(1024), "For people."),
        shown_maybe(
            "disabledInstant",
            Kind::Instant,
            "Since when nothing is sent to it.",
        ),
        shown_maybe(
            "disabledReason",
            Kind::Word(&["gone", "failing"]),
            "Why: it answered 410, or did nothing but fail for too long.",
        ),
        defaulted(
            "eventsEnabled",
            Kind::Map(&Kind::Flag),
            "{}",
            "By the type of event; `user.action` is the one that is sent.",
        ),
        defaulted(
            "global",
            Kind::Flag,
            "false",
            "Whether it serves all tenants.",
        ),
        defaulted(
            "headers",
            Kind::Map(&Kind::Text),
            "{}",
            "Added to each request. Those that frame the message are not to be set.",
        ),
        optional(
            "httpAuthenticationPassword",
            Kind::ShortText(1024),
            "For basic authentication.",
        ),
        optional(
            "httpAuthenticationUsername",
            Kind::ShortText(LONGEST_NAME),
            "For basic authentication.",
        ),
        shown("id", Kind::Id, "The webhook."),
        INSERT_INSTANT,
        LAST_UPDATE_INSTANT,
        optional(
            "orderedBy",
            Kind::Word(&["user"]),
            "What belongs to the same one of these is sent in its order, one after the other. A PUT without it keeps it, and null removes it.",
        ),
        optional(
            "rateLimit",
            MILLIS,
            "Requests a second at most, over all workers. A PUT without it keeps it, and null removes it.",
        ),
        required("readTimeout", MILLIS, "Milliseconds to wait for an answer."),
        defaulted(
            "signatureConfiguration",
            Kind::Object(&SIGNATURE),
            "{\"enabled\": false}",
            "A signature beside those of Standard Webhooks, which are always there.",
        ),
        optional(
            "signingSecret",
            Kind::Text,
            "`whsec_` and base64: made if it is not given. Read and shown at the creation alone.",
        ),
        optional("sslCertificate", Kind::Text, "In PEM."),
        optional(
            "sslCertificateKeyId",
            Kind::Id,
            "A key of `/api/key`, like `signingKeyId`. Not acted upon.",
        ),
        shown(
            "state",
            Kind::Word(&["Active", "Disabled"]),
            "Whether anything is sent to it.",
        ),
        defaulted(
            "tenantIds",
            Kind::List(&Kind::Id),
            "[]",
            "The tenants that it serves, unless it serves all.",
        ),
        required(
            "url",
            Kind::Uri,
            "`http` or `https`, at most 2048 characters.",
        ),
    ],
);

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

const ROTATION: Object = Object::wrapper(&[
    given(
        "gracePeriodSeconds",
        Kind::Integer(0, 7 * 24 * 60 * 60),
        "How long the old secret goes on signing: a day, if it is not said.",
    ),
    given(
        "secret",
        Kind::Text,
        "The new secret; made if it is not given.",
    ),
    given(
        "type",
        Kind::Word(SecretKind::TEXTS),
        "The tag of its signatures.",
    ),
]);

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
    criteria: &[
        text("description"),
        text("url"),
        given(
            "tenantId",
            Kind::Id,
            "Those that serve this tenant, global ones included.",
        ),
    ],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
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
