//! The signing secret that a webhook starts with.

use beadle_common::db::AnyConnection;
use beadle_common::id::{WebhookId, WebhookSecretId};
use beadle_common::instant::Instant;
use beadle_common::model::webhook::{SecretKind, WebhookSecretRow};
use beadle_common::seal::Sealer;
use beadle_common::sign::WebhookSecret;
use secrecy::ExposeSecret;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::Object;

/// The secret that the client brings, if it brings one.
pub(super) fn read_secret(webhook: &Object<'_>) -> Option<WebhookSecret> {
    let text = webhook.text("signingSecret")?;
    match WebhookSecret::parse(&text) {
        Ok(secret) => Some(secret),
        Err(error) => {
            let path = webhook.path("signingSecret");
            webhook
                .errors()
                .refuse_because(Prefix::Invalid, &path, error.to_string());
            None
        }
    }
}

/// A new secret.
pub(super) fn generate() -> Result<WebhookSecret, ApiError> {
    WebhookSecret::generate(getrandom::fill).map_err(ApiError::internal)
}

/// Stores the secret, sealed.
pub(super) fn insert(
    connection: &mut AnyConnection,
    sealer: &Sealer,
    webhook: WebhookId,
    secret: &WebhookSecret,
    now: Instant,
) -> Result<(), ApiError> {
    let id = WebhookSecretId::random();
    let text = secret.to_text();
    let sealed = sealer
        .seal_text(WebhookSecretRow::place(id), text.expose_secret())
        .map_err(ApiError::internal)?;
    let row = WebhookSecretRow {
        id,
        webhook_id: webhook,
        kind: SecretKind::V1,
        secret: sealed,
        insert_instant: now,
        expiration_instant: None,
    };
    Ok(row.insert(connection)?)
}
