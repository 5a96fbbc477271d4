//! What `/api/api-key` takes and gives.

use crate::description::{
    Answer, At, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND, Object, Operation, defaulted,
    given, optional, required, shown,
};
use crate::input::LONGEST_NAME;

const PERMISSIONS: Object = Object::wrapper(&[optional(
    "endpoints",
    Kind::Map(&Kind::List(&Kind::Text)),
    "Methods by endpoint, which is a path without Ids; `{}`: nothing. `/api/api-key` cannot be named.",
)]);

const META_DATA: Object = Object::wrapper(&[defaulted(
    "attributes",
    Kind::Data,
    "{}",
    "Anything, such as a `description`.",
)]);

const API_KEY: Object = Object::new(
    "APIKey",
    "What lets a program in.",
    &[
        optional("expirationInstant", Kind::Instant, "When it stops working."),
        shown("id", Kind::Id, "The key's Id, which is no secret."),
        INSERT_INSTANT,
        optional(
            "key",
            Kind::ShortText(LONGEST_NAME),
            "The key itself, at least 16 characters; made if it is not given. Shown if it is retrievable. Set at its creation for good.",
        ),
        shown(
            "keyManager",
            Kind::Flag,
            "Whether it may manage keys. Never, for one made here.",
        ),
        LAST_UPDATE_INSTANT,
        defaulted(
            "metaData",
            Kind::Object(&META_DATA),
            "{\"attributes\": {}}",
            "What it is for.",
        ),
        optional(
            "name",
            Kind::ShortText(LONGEST_NAME),
            "Unlike that of any other key, whatever its case. Required if the key is not retrievable.",
        ),
        optional(
            "permissions",
            Kind::Object(&PERMISSIONS),
            "What it may be used for; absent from a new key: everything. A PUT without them keeps them, and a key that loses the last may do nothing.",
        ),
        defaulted(
            "retrievable",
            Kind::Flag,
            "true",
            "Whether the key can be read back. Set at its creation for good.",
        ),
        optional(
            "tenantId",
            Kind::Id,
            "The only tenant it may be used for. Set at its creation for good.",
        ),
    ],
);

const ONE: Object = Object::wrapper(&[required("apiKey", Kind::Object(&API_KEY), "The key.")]);

const NEW: Object = Object::wrapper(&[
    given(
        "apiKey",
        Kind::Object(&API_KEY),
        "The key. Required without `sourceKeyId`.",
    ),
    given(
        "sourceKeyId",
        Kind::Id,
        "A key to copy from what is not given: permissions, expiration, tenant.",
    ),
]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createAPIKey",
    "Create a key",
    &[Answer::ok("The key.", &ONE)],
)
.body(&NEW)];

pub(super) const RETRIEVE: &[Operation] = &[Operation::new(
    "retrieveAPIKey",
    "Retrieve a key",
    &[Answer::ok("The key.", &ONE), NOT_FOUND],
)
.at(At::Id)];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateAPIKey",
    "Replace a key",
    &[Answer::ok("The key.", &ONE), NOT_FOUND],
)
.at(At::Id)
.body(&ONE)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchAPIKey",
    "Change parts of a key",
    &[Answer::ok("The key.", &ONE), NOT_FOUND],
)
.at(At::Id)
.patch(&ONE)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteAPIKey",
    "Delete a key",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.at(At::Id)];
