//! User action reasons: `/api/user-action-reason`.

mod create;
mod delete;
mod description;
mod input;
mod retrieve;
mod update;
mod view;

#[cfg(test)]
mod tests;

use crate::description::Section;
use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "userActionReason";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user-action-reason",
    access: Access::Shared,
    id: "userActionReasonId",
};

pub(crate) fn routes() -> Section {
    Section::new("Reasons", "Why something is done to a user.").with(
        ENDPOINT
            .routes()
            .post(create::create_reason, description::CREATE)
            .get(retrieve::retrieve_reasons, description::RETRIEVE)
            .put(update::update_reason, description::UPDATE)
            .patch(update::update_reason, description::PATCH)
            .delete(delete::delete_reason, description::DELETE),
    )
}
