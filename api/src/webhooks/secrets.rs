//! Signing secrets: read from a request, made, and stored.

use beadle_common::db::AnyConnection;
use beadle_common::id::{WebhookId, WebhookSecretId};
use beadle_common::model::webhook::{SecretKind, WebhookSecretRow};
use beadle_common::seal::Sealer;
use beadle_common::sign::{SigningKey, WebhookPair, WebhookSecret};
use beadle_common::unix_millis::UnixMillis;
use secrecy::ExposeSecret;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::Object;

/// The secret that the client brings, if it brings one.
pub(super) fn read_secret(object: &Object<'_>, member: &str) -> Option<SigningKey> {
    let text = object.text(member)?;
    match SigningKey::parse(&text) {
        Ok(secret) => Some(secret),
        Err(error) => {
            let path = object.path(member);
            object
                .errors()
                .refuse_because(Prefix::Invalid, &path, error.to_string());
            None
        }
    }
}

/// A new secret.
pub(super) fn generate(kind: SecretKind) -> Result<SigningKey, ApiError> {
    match kind {
        SecretKind::V1 => WebhookSecret::generate(getrandom::fill).map(SigningKey::V1),
        SecretKind::V1a => WebhookPair::generate(getrandom::fill).map(SigningKey::V1a),
    }
    .map_err(ApiError::internal)
}

/// Stores the secret, sealed.
pub(super) fn insert(
    connection: &mut AnyConnection,
    sealer: &Sealer,
    webhook: WebhookId,
    secret: &SigningKey,
    now: UnixMillis,
) -> Result<(), ApiError> {
    // The order of these Ids is that of their creation, within a millisecond too.
    let id = WebhookSecretId::sequential();
    let text = secret.to_text();
    let sealed = sealer
        .seal_text(WebhookSecretRow::place(id), text.expose_secret())
        .map_err(ApiError::internal)?;
    let row = WebhookSecretRow {
        id,
        webhook_id: webhook,
        kind: secret.into(),
        secret: sealed,
        insert_instant: now,
        expiration_instant: None,
        public_key: secret.public_text(),
    };
    Ok(row.insert(connection)?)
}
