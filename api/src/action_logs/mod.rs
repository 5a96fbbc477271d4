//! Actions, the logs of definitions applied to users: `/api/user/action`. What happens to
//! one is decided in [`beadle_common::lifecycle`]; here it is only asked for.

mod batcher;
mod cancel;
mod change;
mod description;
mod modify;
mod request;
mod retrieve;
mod search;
mod take;

#[cfg(test)]
mod batcher_tests;
#[cfg(test)]
mod deletion_tests;
#[cfg(test)]
mod late_tests;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod statements_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod waiting_tests;

use crate::description::Section;
use crate::extract::{Access, Endpoint};

pub use batcher::ActionBatcher;
pub(crate) use request::read_info;

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

pub(crate) fn routes() -> Section {
    Section::new(
        "Actions",
        "Applying definitions to users, and what becomes of it.",
    )
    .with(
        SEARCH
            .routes()
            .get(search::search_actions, description::SEARCH_ACTIONS)
            .post(search::search_actions, description::SEARCH_ACTIONS),
    )
    .with(
        ENDPOINT
            .routes()
            .post(take::take_action, description::TAKE_ACTION)
            .get(retrieve::retrieve_actions, description::RETRIEVE)
            .put(modify::modify_action, description::MODIFY_ACTION)
            .delete(cancel::cancel_action, description::CANCEL_ACTION),
    )
}
