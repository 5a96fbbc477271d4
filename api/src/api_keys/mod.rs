//! API keys: `/api/api-key`, for keys that manage keys.

mod create;
mod delete;
mod description;
mod input;
mod retrieve;
mod update;
mod view;

#[cfg(test)]
mod tests;

use beadle_common::db::AnyConnection;
use beadle_common::id::ApiKeyId;
use beadle_common::model::api_key::ApiKey;

use crate::description::Section;
use crate::error::ApiError;
use crate::extract::{Access, Caller, Endpoint};

const WRAPPER: &str = "apiKey";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/api-key",
    access: Access::Keys,
    id: "keyId",
};

pub(crate) fn routes() -> Section {
    Section::new(
        "API keys",
        "What lets programs in. Only for keys that manage keys.",
    )
    .with(
        ENDPOINT
            .routes()
            .post(create::create_api_key, description::CREATE)
            .get(retrieve::retrieve_api_key, description::RETRIEVE)
            .put(update::update_api_key, description::UPDATE)
            .patch(update::update_api_key, description::PATCH)
            .delete(delete::delete_api_key, description::DELETE),
    )
}

/// The key, which does not exist for a manager that is locked to another tenant.
fn find(connection: &mut AnyConnection, id: ApiKeyId, caller: &Caller) -> Result<ApiKey, ApiError> {
    visible(ApiKey::find(connection, id)?, caller)
}

/// The same, kept from other changes until the transaction ends.
fn find_for_update(
    connection: &mut AnyConnection,
    id: ApiKeyId,
    caller: &Caller,
) -> Result<ApiKey, ApiError> {
    visible(ApiKey::find_for_update(connection, id)?, caller)
}

fn visible(key: Option<ApiKey>, caller: &Caller) -> Result<ApiKey, ApiError> {
    key.filter(|key| caller.lock.is_none_or(|lock| key.tenant_id == Some(lock)))
        .ok_or(ApiError::NotFound)
}
