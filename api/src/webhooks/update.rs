//! `PUT` and `PATCH /api/webhook/{webhookId}`. Neither touches the signing secrets.

use actix_web::web::Data;
use beadle_common::db::AnyConnection;
use beadle_common::id::WebhookId;
use beadle_common::instant::Instant;
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox::lane_state;
use serde_json::Value;

use super::{OWN, WRAPPER, input, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::{Body, read_wrapped};
use crate::state::State;

pub(super) async fn update_webhook(mut call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let body = call.body().await;
    let (state, now) = (call.state(), call.now());
    let webhook = call
        .state()
        .write(move |connection| update(connection, &state, id, body.clone(), now))
        .await?;
    Ok(answer::wrapped(WRAPPER, webhook))
}

fn update(
    connection: &mut AnyConnection,
    state: &Data<State>,
    id: WebhookId,
    body: Result<Body, ApiError>,
    now: Instant,
) -> Result<Value, ApiError> {
    let stored = Webhook::find_for_update(connection, id)?.ok_or(ApiError::NotFound)?;
    let stored_tenants = Webhook::tenants(connection, id)?;
    let lane = lane_state(connection, id.into())?;
    let stored_json = view::for_patch(&state.sealer, &stored, &stored_tenants, &lane)?;
    let members = body?.onto_with_own(&OWN, stored_json)?;
    let (read, tenants) = read_wrapped(&members, WRAPPER, |object| {
        input::read_webhook(connection, &state.sealer, object, id, now)
    })?;
    let webhook = Webhook {
        insert_instant: stored.insert_instant,
        ..read
    };
    webhook.update(connection)?;
    Webhook::set_tenants(connection, id, &tenants)?;
    view::webhook(&state.sealer, &webhook, &tenants, &lane, None)
}
