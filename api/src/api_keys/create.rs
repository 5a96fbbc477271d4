//! `POST /api/api-key[/{keyId}]`

use beadle_common::bootstrap::random_key;
use beadle_common::db::{AnyConnection, JsonText};
use beadle_common::id::{ApiKeyId, TenantId};
use beadle_common::model::api_key::ApiKey;
use beadle_common::model::tenant::Tenant;
use beadle_common::seal::Sealer;
use beadle_common::unix_millis::UnixMillis;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::input::Changeable;
use super::{ENDPOINT, WRAPPER, find, view};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::{Call, Caller};
use crate::input::{LONGEST_NAME, Object};

/// Fewer characters could be guessed.
const SHORTEST_KEY: usize = 16;

pub(super) async fn create_api_key(mut call: Call) -> Answer {
    let given: Option<ApiKeyId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let new = New {
        id: given.unwrap_or_else(ApiKeyId::random),
        given: given.is_some(),
        caller: call.caller().clone(),
        sealer: call.state().sealer.clone(),
        generated: random_key().map_err(ApiError::internal)?,
        now: call.now(),
    };
    call.commit(move |connection| {
        let key = new.read(connection, &members)?;
        key.insert(connection)?;
        let view = view::api_key(&new.sealer, &key)?;
        Ok(Reply::wrapped(WRAPPER, view))
    })
    .await
}

/// A key to be.
#[derive(Clone)]
struct New {
    id: ApiKeyId,
    /// The Id comes from the client, so it may be in use.
    given: bool,
    caller: Caller,
    sealer: Sealer,
    /// For a client that brings no key of its own.
    generated: SecretString,
    now: UnixMillis,
}

impl New {
    fn read(
        &self,
        connection: &mut AnyConnection,
        members: &Map<String, Value>,
    ) -> Result<ApiKey, ApiError> {
        let errors = Collector::new();
        let body = Object::root(members, &errors);
        let empty = Map::new();
        let source = self.source(connection, &body)?;
        let object = match body.object(WRAPPER) {
            Some(object) => object,
            None if body.value("sourceKeyId").is_some() || body.value(WRAPPER).is_some() => {
                Object::root(&empty, &errors)
            }
            None => return Err(ApiError::field(Prefix::Missing, WRAPPER)),
        };
        if self.given && ApiKey::exists(connection, self.id)? {
            errors.refuse(Prefix::Duplicate, ENDPOINT.id);
        }
        let mut key = self.row(connection, &object)?;
        Changeable::read(connection, &object, self.id, key.retrievable)?.apply(&mut key, self.now);
        if let Some(source) = source {
            inherit(&mut key, source);
        }
        errors.finish()?;
        Ok(key)
    }

    /// The key to copy from.
    fn source(
        &self,
        connection: &mut AnyConnection,
        body: &Object<'_>,
    ) -> Result<Option<ApiKey>, ApiError> {
        let Some(id) = body.id("sourceKeyId") else {
            return Ok(None);
        };
        match find(connection, id, &self.caller) {
            Ok(key) => Ok(Some(key)),
            Err(ApiError::NotFound) => {
                body.refuse(Prefix::Invalid, "sourceKeyId");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn row(&self, connection: &mut AnyConnection, object: &Object<'_>) -> Result<ApiKey, ApiError> {
        let retrievable = object.flag("retrievable", true);
        let key = self.key(connection, object)?;
        let sealed = self
            .sealer
            .seal_text(ApiKey::key_place(self.id), key.expose_secret())
            .map_err(ApiError::internal)?;
        Ok(ApiKey {
            id: self.id,
            key_hash: ApiKey::hash(key.expose_secret()),
            key_sealed: retrievable.then_some(sealed),
            name: None,
            name_normalized: None,
            tenant_id: self.tenant(connection, object)?,
            permissions: None,
            // Only the server's own commands make managers.
            key_manager: false,
            retrievable,
            expiration_instant: None,
            meta_data: JsonText::empty_object(),
            insert_instant: self.now,
            last_update_instant: self.now,
        })
    }

    fn key(
        &self,
        connection: &mut AnyConnection,
        object: &Object<'_>,
    ) -> Result<SecretString, ApiError> {
        let Some(key) = object.short_text("key", LONGEST_NAME) else {
            return Ok(self.generated.clone());
        };
        if key.chars().count() < SHORTEST_KEY {
            object.refuse(Prefix::TooShort, "key");
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            object.refuse(Prefix::Invalid, "key");
        }
        if ApiKey::find_by_key(connection, &key)?.is_some() {
            object.refuse(Prefix::Duplicate, "key");
        }
        Ok(SecretString::from(key))
    }

    /// A locked manager makes keys with the same lock only.
    fn tenant(
        &self,
        connection: &mut AnyConnection,
        object: &Object<'_>,
    ) -> Result<Option<TenantId>, ApiError> {
        let asked: Option<TenantId> = object.id("tenantId");
        let Some(tenant) = asked else {
            return Ok(self.caller.lock);
        };
        let allowed = self.caller.lock.is_none_or(|lock| lock == tenant);
        if !allowed || !Tenant::exists(connection, tenant)? {
            object.refuse(Prefix::Invalid, "tenantId");
        }
        Ok(asked)
    }
}

/// Takes over from another key what the request does not name.
fn inherit(key: &mut ApiKey, source: ApiKey) {
    key.permissions = key.permissions.take().or(source.permissions);
    key.expiration_instant = key.expiration_instant.or(source.expiration_instant);
    key.tenant_id = key.tenant_id.or(source.tenant_id);
}
