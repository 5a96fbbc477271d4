//! `GET /api/webhook/{webhookId}/secret`

use beadle_common::id::WebhookId;
use beadle_common::model::webhook::{Webhook, WebhookSecretRow};
use beadle_common::seal::Sealer;
use beadle_common::view::{Absent, Members, View};
use secrecy::ExposeSecret;

use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_secrets(call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let now = call.now();
    let rows = call
        .state()
        .read(move |connection| {
            if !Webhook::exists(connection, id)? {
                return Err(ApiError::NotFound);
            }
            Ok(WebhookSecretRow::live_of(connection, &[id], now)?)
        })
        .await?;
    Ok(show(&call.state().sealer, &rows)?.into())
}

/// The secrets that sign at this moment, newest first.
pub(super) fn show(sealer: &Sealer, rows: &[WebhookSecretRow]) -> Result<Reply, ApiError> {
    let secrets = rows
        .iter()
        .map(|row| view(sealer, row))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Reply::wrapped("secrets", secrets))
}

fn view(sealer: &Sealer, row: &WebhookSecretRow) -> Result<View, ApiError> {
    let secret = sealer
        .open_text(WebhookSecretRow::place(row.id), &row.secret)
        .map_err(ApiError::internal)?;
    Ok(Members::new(Absent::Omit)
        .maybe("expirationInstant", row.expiration_instant)
        .with("id", row.id)
        .with("insertInstant", row.insert_instant)
        .maybe("publicKey", row.public_key.as_ref())
        .with("secret", secret.expose_secret())
        .with("type", row.kind)
        .done())
}
