//! Users: `/api/user`.

mod create;
mod delete;
mod description;
mod find;
mod input;
mod password;
mod registration;
mod retrieve;
mod search;
mod update;

#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod tests;

use crate::description::Section;
use crate::extract::{Access, Endpoint};

pub(crate) use create::New;
pub(crate) use description::USER;
pub(crate) use find::find;
pub(crate) use input::{Identity, MOST_LANGUAGES, read_timezone};
pub(crate) use password::{Hashed, hash_offered};
pub(crate) use registration::REGISTRATION;
pub(crate) use retrieve::show;

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

pub(crate) fn routes() -> Section {
    Section::new("Users", "Those who are acted upon, and those who act.")
        .with(
            SEARCH
                .routes()
                .get(search::search_users, description::SEARCH)
                .post(search::search_users, description::SEARCH),
        )
        .with(
            ENDPOINT
                .routes()
                .post(create::create_user, description::CREATE)
                .get(retrieve::retrieve_user, description::RETRIEVE)
                .put(update::update_user, description::UPDATE)
                .patch(update::update_user, description::PATCH)
                .delete(delete::delete_user, description::DELETE),
        )
}
