//! API keys: `/api/api-key`, for keys that manage keys.

mod create;
mod delete;
mod input;
mod retrieve;
mod update;
mod view;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};
use beadle_common::db::AnyConnection;
use beadle_common::id::ApiKeyId;
use beadle_common::model::api_key::ApiKey;

use crate::error::ApiError;
use crate::extract::{Access, Caller, Endpoint};

const WRAPPER: &str = "apiKey";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/api-key",
    access: Access::Keys,
    id: "keyId",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_api_key))
            .route(web::get().to(retrieve::retrieve_api_key))
            .route(web::put().to(update::update_api_key))
            .route(web::patch().to(update::update_api_key))
            .route(web::delete().to(delete::delete_api_key)),
    );
}

/// The key, which does not exist for a manager that is locked to another tenant.
fn find(connection: &mut AnyConnection, id: ApiKeyId, caller: &Caller) -> Result<ApiKey, ApiError> {
    ApiKey::find(connection, id)?
        .filter(|key| caller.lock.is_none_or(|lock| key.tenant_id == Some(lock)))
        .ok_or(ApiError::NotFound)
}
