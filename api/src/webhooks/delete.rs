//! `DELETE /api/webhook/{webhookId}`. What is still owed to it is canceled.

use beadle_common::id::WebhookId;
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox::end_of_webhook;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn delete_webhook(call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let (state, now) = (call.state(), call.now());
    let mut more = state
        .write(move |connection| match Webhook::delete(connection, id)? {
            true => Ok(end_of_webhook(connection, id, now)?),
            false => Err(ApiError::NotFound),
        })
        .await?;
    // A backlog goes in short transactions. What a cut leaves, the workers cancel.
    while more {
        more = state
            .write(move |connection| Ok(end_of_webhook(connection, id, now)?))
            .await?;
    }
    Ok(answer::empty())
}
