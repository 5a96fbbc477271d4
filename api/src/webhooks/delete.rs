//! `DELETE /api/webhook/{webhookId}`. What is still owed to it is canceled.

use beadle_common::id::WebhookId;
use beadle_common::outbox::end_of_webhook;
use beadle_common::resources;
use beadle_common::resources::webhooks::WebhookResource;

use crate::answer::{self, Answer};
use crate::extract::Call;

pub(super) async fn delete_webhook(call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let (state, context, now) = (call.state(), call.context(), call.now());
    let mut more = state
        .write(move |connection| {
            resources::delete::<WebhookResource>(connection, &context, id)?;
            Ok(end_of_webhook(connection, id, now)?)
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
