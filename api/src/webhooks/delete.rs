//! `DELETE /api/webhook/{webhookId}`. What is still owed to it is settled by the workers.

use beadle_common::id::WebhookId;
use beadle_common::model::webhook::Webhook;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn delete_webhook(call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let deleted = call
        .state()
        .write(move |connection| Ok(Webhook::delete(connection, id)?))
        .await?;
    if deleted {
        Ok(answer::empty())
    } else {
        Err(ApiError::NotFound)
    }
}
