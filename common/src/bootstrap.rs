//! What a database needs before anybody can use it: a tenant, and an API key.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use diesel::result::Error as DieselError;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::db::{AnyConnection, Db, DbError, Json, JsonText};
use crate::id::{ApiKeyId, TenantId};
use crate::model::api_key::{ApiKey, Endpoints};
use crate::model::normalize;
use crate::model::tenant::Tenant;
use crate::seal::{SealError, Sealer};
use crate::unix_millis::UnixMillis;
use crate::view::UserActionEvent;

/// Why a database could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// An empty text instead of a key: everybody knows that one.
    #[error("the API key is empty; leave it out to have one made, or give a long random text")]
    BlankKey,
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

/// How often to look again when other processes start at the same moment.
const ATTEMPTS: usize = 5;

/// Sees to it that there is a tenant and a key. Returns the key if one had to be made up:
/// show it, since nobody else will.
///
/// # Errors
/// [`BootstrapError`].
pub fn bootstrap(
    db: &Db,
    sealer: &Sealer,
    api_key: Option<&SecretString>,
    now: UnixMillis,
) -> Result<Option<SecretString>, BootstrapError> {
    if api_key.is_some_and(|key| key.expose_secret().trim().is_empty()) {
        return Err(BootstrapError::BlankKey);
    }
    let mut attempts = 1;
    loop {
        match attempt(db, sealer, api_key, now) {
            // Another process started at the same time and was first: look again.
            Err(BootstrapError::Database(DbError::Duplicate(_) | DbError::Conflict(_)))
                if attempts < ATTEMPTS =>
            {
                attempts += 1;
            }
            result => return result,
        }
    }
}

fn attempt(
    db: &Db,
    sealer: &Sealer,
    api_key: Option<&SecretString>,
    now: UnixMillis,
) -> Result<Option<SecretString>, BootstrapError> {
    let (sealer, api_key) = (sealer.clone(), api_key.cloned());
    db.write_blocking(move |connection| {
        match Tenant::default_tenant(connection)? {
            None => default_tenant(now).insert(connection)?,
            // One after the other from here on: whoever else is starting waits for this
            // row, and then sees the key that is made below.
            Some(tenant) => tenant.lock(connection)?,
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
    now: UnixMillis,
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
        name_normalized: new.name.as_deref().map(normalize),
        tenant_id: new.tenant_id,
        permissions: (!new.permissions.is_empty()).then(|| Json(new.permissions.clone())),
        key_manager: new.key_manager,
        retrievable: true,
        expiration_instant: None,
        meta_data: JsonText::of(&json!({"attributes": {}})),
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
fn default_tenant(now: UnixMillis) -> Tenant {
    let event = json!({"enabled": true, "transactionType": "None"});
    let events = json!({ UserActionEvent::TYPE: event });
    let mut event_configuration = Map::new();
    event_configuration.insert("events".to_owned(), events);
    Tenant {
        id: TenantId::random(),
        name: "Default".to_owned(),
        name_normalized: normalize("Default"),
        is_default: true,
        data: JsonText::empty_object(),
        email_configuration: Json(email_configuration()),
        smtp_password: None,
        event_configuration: Json(event_configuration),
        settings: Json(Map::new()),
        insert_instant: now,
        last_update_instant: now,
    }
}

/// What the API makes of a tenant that says nothing of its mail.
fn email_configuration() -> Map<String, Value> {
    Map::from_iter([
        ("additionalHeaders".to_owned(), json!([])),
        ("debug".to_owned(), json!(false)),
    ])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::webhook::{SecretKind, Webhook, WebhookSecretRow};
    use crate::test_support::{TestDb, both_databases};

    const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_000);

    fn sealer() -> Sealer {
        Sealer::from_keys(&"07".repeat(32).into()).unwrap()
    }

    fn tenants_and_keys(db: &Db) -> (i64, i64) {
        db.read_blocking(|c| Ok::<_, DbError>((Tenant::count(c)?, ApiKey::count(c)?)))
            .unwrap()
    }

    /// Starts many processes at the same moment, and returns the keys they were told.
    fn start_many(db: &Db, key: Option<&SecretString>) -> Vec<String> {
        std::thread::scope(|scope| {
            let start = || bootstrap(db, &sealer(), key, NOW).unwrap();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().unwrap())
                .map(|key| key.expose_secret().to_owned())
                .collect()
        })
    }

    fn many_that_start_at_once_make_one_tenant_and_one_key(db: &Db) {
        let keys = start_many(db, None);
        assert_eq!(keys.len(), 1, "one of them tells the key");
        assert_eq!(tenants_and_keys(db), (1, 1));
        let found = db
            .read_blocking(|c| Ok::<_, DbError>(ApiKey::find_by_key(c, &keys[0])?))
            .unwrap()
            .unwrap();
        assert!(found.key_manager && found.tenant_id.is_none());
        let tenant = db
            .read_blocking(|c| Ok::<_, DbError>(Tenant::default_tenant(c)?))
            .unwrap()
            .unwrap();
        assert!(tenant.event_enabled("user.action"));
        assert!(start_many(db, None).is_empty());
        assert_eq!(tenants_and_keys(db), (1, 1));
    }

    fn many_that_start_at_once_after_the_last_key_was_deleted_make_one(db: &Db) {
        start_many(db, None);
        db.write_blocking(|c| {
            for key in ApiKey::all(c)? {
                ApiKey::delete(c, key.id)?;
            }
            Ok::<_, DbError>(())
        })
        .unwrap();
        assert_eq!(start_many(db, None).len(), 1);
        assert_eq!(tenants_and_keys(db), (1, 1));
    }

    fn a_key_that_is_given_is_stored_once_and_never_told(db: &Db) {
        let key: SecretString = "the key of the operator".to_owned().into();
        assert!(start_many(db, Some(&key)).is_empty());
        assert!(start_many(db, Some(&key)).is_empty());
        assert_eq!(tenants_and_keys(db), (1, 1));
        let another: SecretString = "another key of the operator".to_owned().into();
        start_many(db, Some(&another));
        assert_eq!(tenants_and_keys(db), (1, 2));
    }

    fn an_empty_key_is_refused(db: &Db) {
        for blank in ["", " ", "\n"] {
            let result = bootstrap(db, &sealer(), Some(&blank.to_owned().into()), NOW);
            assert!(matches!(result, Err(BootstrapError::BlankKey)));
        }
        assert_eq!(tenants_and_keys(db), (0, 0));
    }

    both_databases!(
        many_that_start_at_once_make_one_tenant_and_one_key,
        many_that_start_at_once_after_the_last_key_was_deleted_make_one,
        a_key_that_is_given_is_stored_once_and_never_told,
        an_empty_key_is_refused,
    );

    /// Everything in the folder of a SQLite file, its log included.
    fn bytes_beside(path: &Path) -> Vec<u8> {
        let folder = path.parent().unwrap();
        let files = std::fs::read_dir(folder).unwrap();
        files
            .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect()
    }

    #[test]
    fn secrets_are_unreadable_in_the_file() {
        let test = TestDb::sqlite();
        let made = bootstrap(&test.db, &sealer(), None, NOW).unwrap().unwrap();
        let given = "a-key-that-was-given-by-the-operator";
        bootstrap(&test.db, &sealer(), Some(&given.to_owned().into()), NOW).unwrap();
        let id = crate::id::WebhookSecretId::random();
        let secret = "whsec_c2VjcmV0IG9mIHRoZSB3ZWJob29r";
        let sealed = sealer()
            .seal_text(WebhookSecretRow::place(id), secret)
            .unwrap();
        let hook = crate::id::WebhookId::random();
        let headers = sealer()
            .seal_text(Webhook::headers_place(hook), r#"{"X-Token":"t0ken"}"#)
            .unwrap();
        test.db
            .write_blocking(move |c| {
                crate::test_support::webhook(hook, headers).insert(c)?;
                let row = WebhookSecretRow {
                    id,
                    webhook_id: hook,
                    kind: SecretKind::V1,
                    secret: sealed,
                    insert_instant: NOW,
                    expiration_instant: None,
                    public_key: None,
                };
                Ok::<_, DbError>(row.insert(c)?)
            })
            .unwrap();
        let bytes = bytes_beside(test.db.url().sqlite_path().unwrap());
        let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(holds("webhook_secrets"), "this is the right file");
        for secret in [made.expose_secret(), given, secret, "t0ken"] {
            assert!(!holds(secret), "{secret}");
        }
    }
}
