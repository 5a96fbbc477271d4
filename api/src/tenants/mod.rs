//! Tenants: `/api/tenant`.

mod create;
mod delete;
mod email_configuration;
mod event_configuration;
mod input;
mod retrieve;
mod update;
mod view;

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

pub(crate) fn routes(config: &mut ServiceConfig) {
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
