//! `POST /api/webhook/{webhookId}/secret/rotate`

use beadle_common::id::WebhookId;
use beadle_common::model::webhook::Webhook;
use beadle_common::resources::webhooks::rotate_secret;
use serde_json::Map;

use super::retrieve_secrets;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn rotate_webhook_secret(mut call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let body = match call.has_body() {
        true => Some(call.body().await),
        false => None,
    };
    let context = call.context();
    call.commit(move |connection| {
        if !Webhook::exists(connection, id)? {
            return Err(ApiError::NotFound);
        }
        let members = match body.clone() {
            Some(body) => body?.into_members()?,
            None => Map::new(),
        };
        let rows = rotate_secret(connection, &context, id, &members)?;
        retrieve_secrets::show(&context.sealer, &rows)
    })
    .await
}
