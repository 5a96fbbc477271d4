//! API keys.

use std::collections::BTreeMap;

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::{crud, unique};
use crate::db::{AnyConnection, CachedInList, Json, JsonText};
use crate::id::{ApiKeyId, TenantId};
use crate::schema::api_keys;
use crate::seal::AssociatedData;
use crate::unix_millis::UnixMillis;

/// Endpoint to the methods that a key may use there.
pub type Endpoints = BTreeMap<String, Vec<String>>;

/// An API key.
#[derive(Debug, Clone, Default, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = api_keys, treat_none_as_null = true)]
pub struct ApiKey {
    /// Primary key.
    pub id: ApiKeyId,
    /// What it is looked up by; see [`ApiKey::hash`].
    pub key_hash: Vec<u8>,
    /// The key itself, sealed, if it may be read back.
    pub key_sealed: Option<Vec<u8>>,
    /// Unique ignoring case, if given.
    pub name: Option<String>,
    /// `name`, folded.
    pub name_normalized: Option<String>,
    /// The only tenant it may act for.
    pub tenant_id: Option<TenantId>,
    /// What it may do; none: everything, since it was made so. Empty: nothing.
    pub permissions: Option<Json<Endpoints>>,
    /// May make other keys.
    pub key_manager: bool,
    /// May be read back.
    pub retrievable: bool,
    /// When it stops working.
    pub expiration_instant: Option<UnixMillis>,
    /// `metaData` of the API.
    pub meta_data: JsonText,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

crud!(ApiKey, api_keys, ApiKeyId);
unique!(
    ApiKey,
    api_keys,
    ApiKeyId,
    /// Whose name this is, ignoring case.
    by_name: name_normalized
);

impl ApiKey {
    /// What a key is looked up by. Keys are long and random, so a plain hash is enough.
    #[must_use]
    pub fn hash(key: &str) -> Vec<u8> {
        Sha256::digest(key.as_bytes()).to_vec()
    }

    /// Where the sealed key belongs.
    #[must_use]
    pub fn key_place(id: ApiKeyId) -> AssociatedData {
        AssociatedData {
            column: "api_keys.key_sealed",
            row: id.uuid(),
        }
    }

    /// The row of a presented key.
    pub fn find_by_key(connection: &mut AnyConnection, key: &str) -> QueryResult<Option<Self>> {
        Ok(Self::load_by_hash(connection, vec![Self::hash(key)])?.pop())
    }

    /// The rows of presented keys, by their hashes.
    pub fn load_by_hash(
        connection: &mut AnyConnection,
        hashes: Vec<Vec<u8>>,
    ) -> QueryResult<Vec<Self>> {
        let few = hashes.len();
        let keys = api_keys::table
            .filter(api_keys::key_hash.eq_any(hashes))
            .select(Self::as_select());
        CachedInList::of(few, keys).load(connection)
    }

    /// How many keys there are.
    pub fn count(connection: &mut AnyConnection) -> QueryResult<i64> {
        api_keys::table.count().get_result(connection)
    }

    /// Whether the key may be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: UnixMillis) -> bool {
        self.expiration_instant.is_none_or(|end| now < end)
    }

    /// Whether the key may use this method of this endpoint (its path without Ids).
    #[must_use]
    pub fn permits(&self, endpoint: &str, method: &str) -> bool {
        let Some(Json(endpoints)) = &self.permissions else {
            return true;
        };
        endpoints
            .get(endpoint)
            .is_some_and(|methods| methods.iter().any(|m| m.eq_ignore_ascii_case(method)))
    }
}
