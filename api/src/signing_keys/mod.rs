//! Keys that sign the bodies of webhooks, and mail: `/api/key`, and what receivers check them with:
//! `/.well-known/jwks.json`. Private parts go in, but never out.

mod create;
mod description;
mod jwks;

#[cfg(test)]
mod tests;

use beadle_common::resources::signing_keys::SigningKeyResource;

use crate::description::{Routes, Section};
use crate::extract::{Access, Endpoint};
use crate::resource::{remove, retrieve, update};

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
            .get(retrieve::<SigningKeyResource>, description::RETRIEVE)
            .put(update::<SigningKeyResource>, description::UPDATE)
            .delete(remove::<SigningKeyResource>, description::DELETE),
    )
    .with(Routes::open("/.well-known/jwks.json").get(jwks::retrieve_jwks, description::JWKS))
}
