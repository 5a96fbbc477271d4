//! What `/api/tenant` takes and gives.

use beadle_common::model::lockout::DurationUnit;
use beadle_common::model::user_action::TransactionType;

use crate::description::{
    Answer, At, EVENT_INFO, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND, Object,
    Operation, Search, TOTAL, defaulted, given, optional, required, shown, text,
};
use crate::input::LONGEST_NAME;

const NAME: Kind = Kind::ShortText(LONGEST_NAME);

const HEADER: Object = Object::wrapper(&[
    required("name", NAME, ""),
    required("value", Kind::Text, ""),
]);

const DKIM: Object = Object::wrapper(&[
    required("domain", NAME, "The domain that signs."),
    required(
        "keyId",
        Kind::Id,
        "A key of `/api/key` that signs mail (RSA, Ed25519): the tenant's own or one of all. An API key that is locked to the tenant names only its own.",
    ),
    required(
        "selector",
        NAME,
        "Where below the domain the public key is published.",
    ),
]);

const EMAIL: Object = Object::new(
    "EmailConfiguration",
    "How a tenant's mail is sent. Members that Beadle does not know are kept.",
    &[
        defaulted(
            "additionalHeaders",
            Kind::List(&Kind::Object(&HEADER)),
            "[]",
            "Added to each mail.",
        ),
        defaulted("debug", Kind::Flag, "false", "Kept, and not acted upon."),
        optional("defaultFromEmail", Kind::Email, "The sender, where a template names none."),
        optional("defaultFromName", NAME, "The sender's name, where a template names none."),
        optional(
            "dkim",
            Kind::Object(&DKIM),
            "What signs the mail. A PUT without it keeps it, and null removes it.",
        ),
        optional(
            "listUnsubscribe",
            Kind::Text,
            "A template of the address where readers may say that they want no more mail. A PUT without it keeps it, and null removes it.",
        ),
        optional("host", NAME, "The SMTP server; absent: the server's own way to send mail."),
        given("password", Kind::Text, "For the SMTP server. Whoever changes host, port, user or security gives it again; otherwise it stays where it is not named."),
        optional("port", Kind::Integer(1, 65_535), "25, where there is a host and it is not said."),
        optional(
            "rateLimit",
            Kind::Integer(1, 2_147_483_647),
            "Mails a second that the tenant's own server gets, from all workers together. A PUT without it keeps it, and null removes it.",
        ),
        optional(
            "security",
            Kind::Word(&super::email_configuration::SECURITY),
            "`SSL`: TLS from the first byte; `TLS`: STARTTLS, or nothing is sent. `NONE` where there is a host and it is not said.",
        ),
        optional("username", NAME, "For the SMTP server; absent: nobody logs in there."),
    ],
)
.open();

const EVENT: Object = Object::new(
    "EventSetting",
    "What a tenant wants of a kind of event.",
    &[
        defaulted(
            "enabled",
            Kind::Flag,
            "false",
            "Whether it is raised at all.",
        ),
        defaulted(
            "transactionType",
            Kind::Word(TransactionType::TEXTS),
            "None",
            "How many webhooks have to agree before it happens.",
        ),
    ],
);

const EVENTS: Object = Object::new(
    "EventConfiguration",
    "Which events a tenant raises.",
    &[defaulted(
        "events",
        Kind::Map(&Kind::Object(&EVENT)),
        "{}",
        "By the type of event; `user.action` is the one that there is.",
    )],
);

const CANCEL_POLICY: Object = Object::wrapper(&[defaulted(
    "onPasswordReset",
    Kind::Flag,
    "false",
    "Whether a new password lifts the lock.",
)]);

const LOCKOUT: Object = Object::new(
    "FailedAuthenticationConfiguration",
    "What too many wrong passwords lead to.",
    &[
        defaulted(
            "actionCancelPolicy",
            Kind::Object(&CANCEL_POLICY),
            "{}",
            "When the lock is lifted early.",
        ),
        defaulted(
            "actionDuration",
            Kind::Integer(1, 2_147_483_647),
            "3",
            "How long the lock lasts.",
        ),
        defaulted(
            "actionDurationUnit",
            Kind::Word(DurationUnit::TEXTS),
            "MINUTES",
            "What that is counted in.",
        ),
        defaulted(
            "emailUser",
            Kind::Flag,
            "false",
            "Whether to email the user.",
        ),
        defaulted(
            "resetCountInSeconds",
            Kind::Integer(1, 2_147_483_647),
            "60",
            "How long an attempt counts.",
        ),
        defaulted(
            "tooManyAttempts",
            Kind::Integer(1, 1000),
            "5",
            "How many are too many.",
        ),
        optional(
            "userActionId",
            Kind::Id,
            "The definition that is applied; absent: nothing happens.",
        ),
    ],
);

const TENANT: Object = Object::new(
    "Tenant",
    "A community of users with its own mail and its own events. Members that Beadle does not know are kept.",
    &[
        shown("configured", Kind::Flag, "Always true."),
        defaulted("data", Kind::Data, "{}", "Anything."),
        defaulted("emailConfiguration", Kind::Object(&EMAIL), "{}", "How its mail is sent."),
        defaulted("eventConfiguration", Kind::Object(&EVENTS), "{}", "Which events it raises."),
        optional(
            "failedAuthenticationConfiguration",
            Kind::Object(&LOCKOUT),
            "What too many wrong passwords lead to.",
        ),
        shown("id", Kind::Id, "The tenant."),
        INSERT_INSTANT,
        optional("issuer", Kind::Text, "Kept, and not acted upon."),
        LAST_UPDATE_INSTANT,
        required("name", NAME, "Unlike that of any other tenant, whatever its case."),
        shown("state", Kind::Word(&["Active"]), "Always the same."),
    ],
)
.open();

const ONE: Object = Object::wrapper(&[required("tenant", Kind::Object(&TENANT), "The tenant.")]);

const CHANGING: Object = Object::wrapper(&[
    given(
        "eventInfo",
        Kind::Object(&EVENT_INFO),
        "Accepted; no event comes of it.",
    ),
    required("tenant", Kind::Object(&TENANT), "The tenant."),
    given(
        "webhookIds",
        Kind::List(&Kind::Id),
        "The webhooks that serve the tenant, beside those that serve all; absent: as it is. Not for keys that are locked to a tenant.",
    ),
]);

const CREATING: Object = Object::wrapper(&[
    given(
        "eventInfo",
        Kind::Object(&EVENT_INFO),
        "Accepted; no event comes of it.",
    ),
    given(
        "sourceTenantId",
        Kind::Id,
        "Gives the new tenant everything that this one has, but the name, and `dkim` with a key of its own.",
    ),
    required("tenant", Kind::Object(&TENANT), "The tenant."),
    given(
        "webhookIds",
        Kind::List(&Kind::Id),
        "The webhooks that serve the tenant, beside those that serve all.",
    ),
]);

const ALL: Object = Object::wrapper(&[shown(
    "tenants",
    Kind::List(&Kind::Object(&TENANT)),
    "The tenants by name.",
)]);

const FOUND: Object = Object::wrapper(&[
    shown(
        "tenants",
        Kind::List(&Kind::Object(&TENANT)),
        "A page of them.",
    ),
    TOTAL,
]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createTenant",
    "Create a tenant",
    &[Answer::ok("The tenant.", &ONE)],
)
.body(&CREATING)];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveTenants",
        "List the tenants",
        &[Answer::ok("The tenants.", &ALL)],
    )
    .at(At::NoId),
    Operation::new(
        "retrieveTenant",
        "Retrieve a tenant",
        &[Answer::ok("The tenant.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateTenant",
    "Replace a tenant",
    &[Answer::ok("The tenant.", &ONE), NOT_FOUND],
)
.at(At::Id)
.body(&CHANGING)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchTenant",
    "Change parts of a tenant",
    &[Answer::ok("The tenant.", &ONE), NOT_FOUND],
)
.at(At::Id)
.patch(&CHANGING)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteTenant",
    "Delete a tenant",
    &[
        Answer::empty(200, "Done."),
        Answer::empty(
            202,
            "The tenant is gone for everybody; its rows are being erased.",
        ),
        NOT_FOUND,
    ],
)
.about(
    "With its users, what was written about them, and its applications. The default tenant stays.",
)
.at(At::Id)
.query(&[given(
    "async",
    Kind::Flag,
    "Answer at once, and erase what belongs to the tenant afterwards.",
)])];

pub(super) const SEARCH: &[Operation] = &[Operation::new(
    "searchTenants",
    "Search the tenants",
    &[Answer::ok("A page of tenants.", &FOUND)],
)
.search(&Search {
    criteria: &[text("name")],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
})];
