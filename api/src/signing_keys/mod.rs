//! Keys that sign the bodies of webhooks, and mail: `/api/key`, and what receivers check them with:
//! `/.well-known/jwks.json`. Private parts go in, but never out.

mod create;
mod delete;
mod description;
mod jwks;
mod material;
mod retrieve;
mod update;
mod view;

#[cfg(test)]
mod tests;

use beadle_common::id::TenantId;
use beadle_common::model::signing_key::SigningKeyRow;

use crate::description::{Routes, Section};
use crate::error::ApiError;
use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "key";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/key",
    access: Access::Global,
    id: "keyId",
};
const GENERATE: Endpoint = Endpoint {
    path: "/api/key/generate",
    ..ENDPOINT
};
const IMPORT: Endpoint = Endpoint {
    path: "/api/key/import",
    ..ENDPOINT
};

pub(crate) fn routes() -> Section {
    Section::new(
        "Keys",
        "What signs the bodies of webhooks, beside their secrets, and mail.",
    )
    .with(
        GENERATE
            .routes()
            .post(create::generate_key, description::GENERATE),
    )
    .with(
        IMPORT
            .routes()
            .post(create::import_key, description::IMPORT),
    )
    .with(
        ENDPOINT
            .routes()
            .get(retrieve::retrieve_keys, description::RETRIEVE)
            .put(update::update_key, description::UPDATE)
            .delete(delete::delete_key, description::DELETE),
    )
    .with(Routes::open("/.well-known/jwks.json").get(jwks::retrieve_jwks, description::JWKS))
}

/// The key, which does not exist for those who may only look at another tenant.
fn visible(key: Option<SigningKeyRow>, scope: Option<TenantId>) -> Result<SigningKeyRow, ApiError> {
    key.filter(|key| scope.is_none_or(|tenant| key.serves(tenant)))
        .ok_or(ApiError::NotFound)
}
