//! Users: `/api/user`.

mod create;
mod delete;
mod input;
mod password;
mod retrieve;
mod search;
mod update;

#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

pub(crate) use create::New;
pub(crate) use input::{Identity, MOST_LANGUAGES, read_timezone};
pub(crate) use password::{Hashed, hash_offered};
pub(crate) use retrieve::show;
pub(crate) use update::find;

const WRAPPER: &str = "user";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user",
    access: Access::OfTenant,
    id: "userId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/user/search",
    access: Access::OfTenant,
    id: "",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_users))
            .route(web::post().to(search::search_users)),
    );
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
