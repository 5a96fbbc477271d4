//! What a database needs before anybody can use it: a tenant, and an API key.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use diesel::result::Error as DieselError;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::db::{AnyConnection, Db, DbError, Json};
use crate::id::{ApiKeyId, TenantId};
use crate::instant::Instant;
use crate::model::api_key::{ApiKey, Endpoints};
use crate::model::fold;
use crate::model::tenant::Tenant;
use crate::seal::{SealError, Sealer};
use crate::view::UserActionEvent;

/// Why a database could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A key could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl From<DieselError> for BootstrapError {
    fn from(error: DieselError) -> Self {
        Self::Database(error.into())
    }
}

/// A new API key.
#[derive(Debug, Clone, Default)]
pub struct NewApiKey {
    /// The key; none: a random one is made.
    pub key: Option<SecretString>,
    /// For people.
    pub name: Option<String>,
    /// The only tenant it may act for.
    pub tenant_id: Option<TenantId>,
    /// What it may do; empty: everything.
    pub permissions: Endpoints,
    /// May make other keys.
    pub key_manager: bool,
}

/// Sees to it that there is a tenant and a key. Returns the key if one had to be made up:
/// show it, since nobody else will.
///
/// # Errors
/// [`BootstrapError`].
pub fn bootstrap(
    db: &Db,
    sealer: &Sealer,
    api_key: Option<&SecretString>,
    now: Instant,
) -> Result<Option<SecretString>, BootstrapError> {
    match attempt(db, sealer, api_key, now) {
        // Another process started at the same time and was first: look again.
        Err(BootstrapError::Database(DbError::Duplicate(_))) => attempt(db, sealer, api_key, now),
        result => result,
    }
}

fn attempt(
    db: &Db,
    sealer: &Sealer,
    api_key: Option<&SecretString>,
    now: Instant,
) -> Result<Option<SecretString>, BootstrapError> {
    let (sealer, api_key) = (sealer.clone(), api_key.cloned());
    db.write_blocking(move |connection| {
        if Tenant::default_tenant(connection)?.is_none() {
            default_tenant(now).insert(connection)?;
        }
        let manager = NewApiKey {
            key: api_key,
            key_manager: true,
            ..NewApiKey::default()
        };
        match &manager.key {
            Some(key) => {
                if ApiKey::find_by_key(connection, key.expose_secret())?.is_none() {
                    insert_api_key(connection, &sealer, &manager, now)?;
                }
                Ok(None)
            }
            None if ApiKey::count(connection)? == 0 => {
                insert_api_key(connection, &sealer, &manager, now).map(Some)
            }
            None => Ok(None),
        }
    })
}

/// Stores a key and returns it in the clear.
///
/// # Errors
/// [`BootstrapError`]; a name that is taken gives [`DbError::Duplicate`].
pub fn insert_api_key(
    connection: &mut AnyConnection,
    sealer: &Sealer,
    new: &NewApiKey,
    now: Instant,
) -> Result<SecretString, BootstrapError> {
    let id = ApiKeyId::random();
    let key = match &new.key {
        Some(key) => key.clone(),
        None => random_key()?,
    };
    ApiKey {
        id,
        key_hash: ApiKey::hash(key.expose_secret()),
        key_sealed: Some(sealer.seal_text(ApiKey::key_place(id), key.expose_secret())?),
        name: new.name.clone(),
        name_key: new.name.as_deref().map(fold),
        tenant_id: new.tenant_id,
        permissions: (!new.permissions.is_empty()).then(|| Json(new.permissions.clone())),
        key_manager: new.key_manager,
        retrievable: true,
        expiration_instant: None,
        meta_data: Json(Map::new()),
        insert_instant: now,
        last_update_instant: now,
    }
    .insert(connection)?;
    Ok(key)
}

/// 32 random bytes as text that needs no quoting anywhere.
///
/// # Errors
/// [`SealError::Random`] if the system gives no random bytes.
pub fn random_key() -> Result<SecretString, SealError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(SealError::Random)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice()).into())
}

/// The tenant of a fresh database. Its `user.action` event is on, so that a fresh server
/// delivers; tenants made through the API start with it off.
fn default_tenant(now: Instant) -> Tenant {
    let event = json!({"enabled": true, "transactionType": "None"});
    let events = json!({ UserActionEvent::TYPE: event });
    let mut event_configuration = Map::new();
    event_configuration.insert("events".to_owned(), events);
    Tenant {
        id: TenantId::random(),
        name: "Default".to_owned(),
        name_key: fold("Default"),
        is_default: true,
        data: Json(Map::new()),
        email_configuration: Json(Map::<String, Value>::new()),
        smtp_password: None,
        event_configuration: Json(event_configuration),
        settings: Json(Map::new()),
        insert_instant: now,
        last_update_instant: now,
    }
}
