//! `POST /api/webhook/{webhookId}/enable`

use beadle_common::id::WebhookId;
use beadle_common::resources::webhooks::enable;
use beadle_common::resources::{self, Resource};

use super::WebhookResource;
use crate::answer::{Answer, Reply};
use crate::extract::Call;

/// Lifts a disabling, and releases what is held. A webhook that is not disabled stays as
/// it is.
pub(super) async fn enable_webhook(call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let (state, context) = (call.state(), call.context());
    let answer = call
        .commit(move |connection| {
            let webhook = enable(connection, &context, id)?;
            Ok(Reply::wrapped(
                WebhookResource::NOUN,
                resources::show(&webhook),
            ))
        })
        .await?;
    state.wake.wake();
    Ok(answer)
}
