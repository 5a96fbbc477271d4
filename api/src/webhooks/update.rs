//! `PUT` and `PATCH /api/webhook/{webhookId}`. Neither touches the signing secrets.

use actix_web::web::Data;
use beadle_common::db::AnyConnection;
use beadle_common::id::{TenantId, WebhookId};
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox::{DestinationState, destination_state};
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::View;
use serde_json::{Map, Value};

use super::{OWN, WRAPPER, input, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::read_wrapped;
use crate::state::State;

pub(super) async fn update_webhook(mut call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let body = call.body().await.map(|body| body.keeping(&OWN));
    let (state, now) = (call.state(), call.now());
    let opening = state.clone();
    let webhook = call
        .update(
            body,
            move |connection| Stored::find_for_update(connection, id),
            move |stored| {
                let Stored {
                    webhook,
                    tenants,
                    destination,
                } = stored;
                view::for_patch(&opening.sealer, webhook, tenants, destination)
            },
            move |connection, stored, members| update(connection, &state, stored, members, now),
        )
        .await?;
    Ok(answer::wrapped(WRAPPER, webhook))
}

/// A webhook, and what is shown with it.
struct Stored {
    webhook: Webhook,
    tenants: Vec<TenantId>,
    destination: DestinationState,
}

impl Stored {
    fn find_for_update(connection: &mut AnyConnection, id: WebhookId) -> Result<Self, ApiError> {
        Ok(Self {
            webhook: Webhook::find_for_update(connection, id)?.ok_or(ApiError::NotFound)?,
            tenants: Webhook::tenants(connection, id)?,
            destination: destination_state(connection, id.into())?,
        })
    }
}

fn update(
    connection: &mut AnyConnection,
    state: &Data<State>,
    stored: Stored,
    members: &Map<String, Value>,
    now: UnixMillis,
) -> Result<View, ApiError> {
    let id = stored.webhook.id;
    let (read, tenants) = read_wrapped(members, WRAPPER, |object| {
        input::read_webhook(connection, &state.sealer, object, id, now)
    })?;
    let webhook = Webhook {
        insert_instant: stored.webhook.insert_instant,
        ..read
    };
    webhook.update(connection)?;
    Webhook::set_tenants(connection, id, &tenants)?;
    view::webhook(&state.sealer, &webhook, &tenants, &stored.destination, None)
}
