//! What `/api/api-key` takes and gives.

use beadle_common::resources::Searchable;
use beadle_common::resources::api_keys::{API_KEY, ApiKeyResource, CRITERIA};

use crate::description::{
    Answer, At, Kind, NOT_FOUND, Object, Operation, Search, TOTAL, given, required, shown,
};

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

const FOUND: Object = Object::wrapper(&[
    shown(
        "apiKeys",
        Kind::List(&Kind::Object(&API_KEY)),
        "A page of them, without the keys themselves.",
    ),
    TOTAL,
]);

pub(super) const SEARCH_KEYS: &[Operation] = &[Operation::new(
    "searchAPIKeys",
    "Search the keys",
    &[Answer::ok("A page of keys.", &FOUND)],
)
.search(&Search {
    criteria: CRITERIA,
    order: ApiKeyResource::ORDER,
    default_order: ApiKeyResource::DEFAULT_ORDER,
})];
