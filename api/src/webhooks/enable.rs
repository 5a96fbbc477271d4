//! `POST /api/webhook/{webhookId}/enable`

use beadle_common::id::WebhookId;
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox;

use super::{WRAPPER, view};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::extract::Call;

/// Lifts a disabling, and releases what is held. A webhook that is not disabled stays as
/// it is.
pub(super) async fn enable_webhook(call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let state = call.state();
    let sealer = state.sealer.clone();
    let answer = call
        .commit(move |connection| {
            let webhook = Webhook::find(connection, id)?.ok_or(ApiError::NotFound)?;
            outbox::enable(connection, id)?;
            let tenants = Webhook::tenants(connection, id)?;
            let destination = outbox::destination_state(connection, id.into())?;
            let webhook = view::webhook(&sealer, &webhook, &tenants, &destination, None)?;
            Ok(Reply::wrapped(WRAPPER, webhook))
        })
        .await?;
    state.wake.wake();
    Ok(answer)
}
