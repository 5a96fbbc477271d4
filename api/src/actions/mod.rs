//! Actions, the logs of definitions applied to users: `/api/user/action`. What happens to
//! one is decided in [`beadle_common::lifecycle`]; here it is only asked for.

mod cancel;
mod change;
mod input;
mod modify;
mod retrieve;
mod search;
mod take;
mod transaction;

#[cfg(test)]
mod deletion_tests;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

pub(crate) use input::read_info;

const WRAPPER: &str = "action";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user/action",
    access: Access::OfTenant,
    id: "actionId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/user/action/search",
    access: Access::OfTenant,
    id: "",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_actions))
            .route(web::post().to(search::search_actions)),
    );
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(take::take_action))
            .route(web::get().to(retrieve::retrieve_actions))
            .route(web::put().to(modify::modify_action))
            .route(web::delete().to(cancel::cancel_action)),
    );
}
