//! `POST /api/webhook[/{webhookId}]`

use actix_web::web::Data;
use beadle_common::db::AnyConnection;
use beadle_common::id::WebhookId;
use beadle_common::model::webhook::{SecretKind, Webhook};
use beadle_common::outbox::DestinationState;
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::View;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::{ENDPOINT, WRAPPER, input, secrets, view};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::read_wrapped;
use crate::state::State;

/// The answer is the only one that shows the signing secret.
pub(super) async fn create_webhook(mut call: Call) -> Answer {
    let given: Option<WebhookId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let (state, now) = (call.state(), call.now());
    call.commit(move |connection| {
        let webhook = create(connection, &state, given, &members, now)?;
        Ok(Reply::wrapped(WRAPPER, webhook))
    })
    .await
}

fn create(
    connection: &mut AnyConnection,
    state: &Data<State>,
    given: Option<WebhookId>,
    members: &Map<String, Value>,
    now: UnixMillis,
) -> Result<View, ApiError> {
    let id = given.unwrap_or_else(WebhookId::random);
    let ((webhook, tenants), secret) = read_wrapped(members, WRAPPER, |object| {
        if given.is_some() && Webhook::exists(connection, id)? {
            object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
        }
        let secret = secrets::read_secret(object, "signingSecret");
        Ok((
            input::read_webhook(connection, &state.sealer, object, id, now)?,
            secret,
        ))
    })?;
    let secret = secret.map_or_else(|| secrets::generate(SecretKind::V1), Ok)?;
    webhook.insert(connection)?;
    Webhook::set_tenants(connection, id, &tenants)?;
    secrets::insert(connection, &state.sealer, id, &secret, now)?;
    let text = secret.to_text();
    view::webhook(
        &state.sealer,
        &webhook,
        &tenants,
        &DestinationState::healthy(id.into()),
        Some(text.expose_secret()),
    )
}
