//! Webhooks, the registrations of receivers: `/api/webhook`.

mod create;
mod delete;
mod enable;
mod headers;
mod input;
mod public_keys;
mod retrieve;
mod retrieve_secrets;
mod rotate_secret;
mod search;
mod secrets;
mod test;
mod update;
mod view;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "webhook";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/webhook",
    access: Access::Global,
    id: "webhookId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/webhook/search",
    access: Access::Global,
    id: "",
};

const SECRET: Endpoint = Endpoint {
    path: "/api/webhook/secret",
    ..ENDPOINT
};
const ROTATE: Endpoint = Endpoint {
    path: "/api/webhook/secret/rotate",
    ..ENDPOINT
};

const TEST: Endpoint = Endpoint {
    path: "/api/webhook/test",
    ..ENDPOINT
};

const ENABLE: Endpoint = Endpoint {
    path: "/api/webhook/enable",
    ..ENDPOINT
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_webhooks))
            .route(web::post().to(search::search_webhooks)),
    );
    config.service(
        SECRET
            .nested("/api/webhook/{webhookId}/secret")
            .route(web::get().to(retrieve_secrets::retrieve_secrets)),
    );
    config.service(
        ENABLE
            .nested("/api/webhook/{webhookId}/enable")
            .route(web::post().to(enable::enable_webhook)),
    );
    config.service(
        ROTATE
            .nested("/api/webhook/{webhookId}/secret/rotate")
            .route(web::post().to(rotate_secret::rotate_secret)),
    );
    config.service(
        TEST.nested("/api/webhook/{webhookId}/test")
            .route(web::post().to(test::test_webhook)),
    );
    config.service(
        web::resource("/.well-known/webhooks.json")
            .route(web::get().to(public_keys::retrieve_public_keys)),
    );
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_webhook))
            .route(web::get().to(retrieve::retrieve_webhooks))
            .route(web::put().to(update::update_webhook))
            .route(web::patch().to(update::update_webhook))
            .route(web::delete().to(delete::delete_webhook)),
    );
}
