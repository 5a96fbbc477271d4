//! User action reasons: `/api/user-action-reason`.

mod create;
mod delete;
mod input;
mod retrieve;
mod update;
mod view;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "userActionReason";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user-action-reason",
    access: Access::Shared,
    id: "userActionReasonId",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_reason))
            .route(web::get().to(retrieve::retrieve_reasons))
            .route(web::put().to(update::update_reason))
            .route(web::patch().to(update::update_reason))
            .route(web::delete().to(delete::delete_reason)),
    );
}
