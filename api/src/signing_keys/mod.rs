//! Keys that sign the bodies of webhooks: `/api/key`, and what receivers check them with:
//! `/.well-known/jwks.json`. Private parts go in, but never out.

mod create;
mod delete;
mod jwks;
mod material;
mod retrieve;
mod update;
mod view;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

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

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            GENERATE
                .resource()
                .route(web::post().to(create::generate_key)),
        )
        .service(IMPORT.resource().route(web::post().to(create::import_key)))
        .service(
            ENDPOINT
                .resource()
                .route(web::get().to(retrieve::retrieve_keys))
                .route(web::put().to(update::update_key))
                .route(web::delete().to(delete::delete_key)),
        )
        .service(web::resource("/.well-known/jwks.json").route(web::get().to(jwks::retrieve_jwks)));
}
