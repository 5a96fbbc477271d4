//! Tenants: `/api/tenant`.

mod create;
mod delete;
mod email_configuration;
mod event_configuration;
mod failed_authentication;
mod input;
mod retrieve;
mod search;
mod source;
mod update;
mod view;
mod webhook_ids;

#[cfg(test)]
mod further_tests;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "tenant";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/tenant",
    access: Access::Tenants,
    id: "tenantId",
};

/// A search reads, whatever the method: a locked key finds its own tenant.
const SEARCH: Endpoint = Endpoint {
    path: "/api/tenant/search",
    access: Access::SharedReading,
    id: "",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_tenants))
            .route(web::post().to(search::search_tenants)),
    );
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_tenant))
            .route(web::get().to(retrieve::retrieve_tenants))
            .route(web::put().to(update::update_tenant))
            .route(web::patch().to(update::update_tenant))
            .route(web::delete().to(delete::delete_tenant)),
    );
}
