//! API keys: `/api/api-key`, for keys that manage keys.

mod create;
mod description;

#[cfg(test)]
mod tests;

use beadle_common::resources::api_keys::ApiKeyResource;

use crate::description::Section;
use crate::extract::{Access, Endpoint};
use crate::resource::{remove, retrieve_one, search, update};

const ENDPOINT: Endpoint = Endpoint {
    path: "/api/api-key",
    access: Access::Keys,
    id: "keyId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/api-key/search",
    access: Access::Keys,
    id: "",
};

pub(crate) fn routes() -> Section {
    Section::new(
        "API keys",
        "What lets programs in. Only for keys that manage keys.",
    )
    .with(
        SEARCH
            .routes()
            .get(search::<ApiKeyResource>, description::SEARCH_KEYS)
            .post(search::<ApiKeyResource>, description::SEARCH_KEYS),
    )
    .with(
        ENDPOINT
            .routes()
            .post(create::create, description::CREATE)
            .get(retrieve_one::<ApiKeyResource>, description::RETRIEVE)
            .put(update::<ApiKeyResource>, description::UPDATE)
            .patch(update::<ApiKeyResource>, description::PATCH)
            .delete(remove::<ApiKeyResource>, description::DELETE),
    )
}
