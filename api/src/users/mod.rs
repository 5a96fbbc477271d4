//! Users: `/api/user`.

mod create;
mod delete;
mod input;
mod password;
mod retrieve;
mod update;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "user";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user",
    access: Access::OfTenant,
    id: "userId",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_user))
            .route(web::get().to(retrieve::retrieve_user))
            .route(web::put().to(update::update_user))
            .route(web::patch().to(update::update_user))
            .route(web::delete().to(delete::delete_user)),
    );
}
