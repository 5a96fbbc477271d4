//! Actions, the logs of definitions applied to users: `/api/user/action`. What happens to
//! one is decided in [`beadle_common::lifecycle`]; here it is only asked for.

mod cancel;
mod change;
mod input;
mod modify;
mod retrieve;
mod take;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "action";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user/action",
    access: Access::OfTenant,
    id: "actionId",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(take::take_action))
            .route(web::get().to(retrieve::retrieve_actions))
            .route(web::put().to(modify::modify_action))
            .route(web::delete().to(cancel::cancel_action)),
    );
}
