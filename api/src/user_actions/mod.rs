//! User action definitions: `/api/user-action`.

mod create;
mod delete;
mod input;
mod retrieve;
mod update;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "userAction";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user-action",
    access: Access::Shared,
    id: "userActionId",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_user_action))
            .route(web::get().to(retrieve::retrieve_user_actions))
            .route(web::put().to(update::update_user_action))
            .route(web::patch().to(update::update_user_action))
            .route(web::delete().to(delete::delete_user_action)),
    );
}
