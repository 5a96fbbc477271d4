//! An API key as the API returns it: with the key itself if it may be read back.

use beadle_common::model::api_key::ApiKey;
use beadle_common::seal::Sealer;
use beadle_common::view::{Absent, Members, View};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::error::ApiError;

pub(super) fn api_key(sealer: &Sealer, key: &ApiKey) -> Result<View, ApiError> {
    Ok(with_key(key, plain(sealer, key)?))
}

/// The same without the key itself, which cannot be changed: what a PATCH starts from.
pub(super) fn without_key(key: &ApiKey) -> Value {
    with_key(key, None).into_value()
}

fn with_key(key: &ApiKey, plain: Option<String>) -> View {
    let permissions = key
        .permissions
        .as_ref()
        .map(|endpoints| json!({"endpoints": endpoints.0}));
    Members::new(Absent::Omit)
        .maybe("expirationInstant", key.expiration_instant)
        .with("id", key.id)
        .with("insertInstant", key.insert_instant)
        .maybe("key", plain)
        .with("keyManager", key.key_manager)
        .with("lastUpdateInstant", key.last_update_instant)
        .with("metaData", &key.meta_data)
        .maybe("name", key.name.as_ref())
        .maybe("permissions", permissions)
        .with("retrievable", key.retrievable)
        .maybe("tenantId", key.tenant_id)
        .done()
}

fn plain(sealer: &Sealer, key: &ApiKey) -> Result<Option<String>, ApiError> {
    let Some(sealed) = key.key_sealed.as_ref().filter(|_| key.retrievable) else {
        return Ok(None);
    };
    let plain = sealer
        .open_text(ApiKey::key_place(key.id), sealed)
        .map_err(ApiError::internal)?;
    Ok(Some(plain.expose_secret().to_owned()))
}
