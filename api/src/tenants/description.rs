//! What `/api/tenant` takes and gives.

use beadle_common::resources::Searchable;
use beadle_common::resources::tenants::{CRITERIA, TENANT, TenantResource};

use crate::description::{
    Answer, At, EVENT_INFO, Kind, NOT_FOUND, Object, Operation, Search, TOTAL, given, required,
    shown,
};

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
    criteria: CRITERIA,
    order: TenantResource::ORDER,
    default_order: TenantResource::DEFAULT_ORDER,
})];
