//! User action definitions: `/api/user-action`.

mod create;
mod delete;
mod description;
mod input;
mod retrieve;
mod update;

#[cfg(test)]
mod tests;

use crate::description::Section;
use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "userAction";
/// Members that FusionAuth does not have.
const OWN: [&str; 1] = ["/userAction/tenantIds"];
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user-action",
    access: Access::Shared,
    id: "userActionId",
};

pub(crate) fn routes() -> Section {
    Section::new(
        "Definitions",
        "What can be done to users: bans, subscriptions, surveys.",
    )
    .with(
        ENDPOINT
            .routes()
            .post(create::create_user_action, description::CREATE)
            .get(retrieve::retrieve_user_actions, description::RETRIEVE)
            .put(update::update_user_action, description::UPDATE)
            .patch(update::update_user_action, description::PATCH)
            .delete(delete::delete_user_action, description::DELETE),
    )
}
