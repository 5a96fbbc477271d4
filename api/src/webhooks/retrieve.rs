//! `GET /api/webhook[/{webhookId}]`

use std::collections::HashMap;

use beadle_common::db::AnyConnection;
use beadle_common::id::{DestinationId, TenantId, WebhookId};
use beadle_common::model::listing::WebhookSearch;
use beadle_common::model::search::Window;
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox::{DestinationState, destination_state, destination_states};
use beadle_common::seal::Sealer;
use beadle_common::view::View;

use super::{WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};

pub(super) async fn retrieve_webhooks(call: Call) -> Answer {
    let id: Option<WebhookId> = call.id()?;
    let Some(id) = id else {
        return list(call).await;
    };
    let (webhook, tenants, destination) = call
        .state()
        .read(move |connection| {
            let webhook = Webhook::find(connection, id)?.ok_or(ApiError::NotFound)?;
            let tenants = Webhook::tenants(connection, id)?;
            Ok((webhook, tenants, destination_state(connection, id.into())?))
        })
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::webhook(&call.state().sealer, &webhook, &tenants, &destination, None)?,
    ))
}

/// The newest first.
async fn list(call: Call) -> Answer {
    let (rows, search) = (Webhooks::of(&call), WebhookSearch::default());
    listing::answer(&call, "webhooks", rows, move |connection| {
        Ok(Webhook::search(connection, &search, &[], Window::ALL)?.ids)
    })
    .await
}

/// Webhooks, the tenants of each that is not global, and how they fare.
#[derive(Clone)]
pub(super) struct Webhooks {
    sealer: Sealer,
}

impl Webhooks {
    pub(super) fn of(call: &Call) -> Self {
        Self {
            sealer: call.state().sealer.clone(),
        }
    }
}

impl Rows for Webhooks {
    type Id = WebhookId;
    type Row = (Webhook, Vec<TenantId>, DestinationState);

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[WebhookId],
    ) -> Result<Vec<(WebhookId, Self::Row)>, ApiError> {
        let webhooks = Webhook::load(connection, ids)?;
        let mut tenants: HashMap<WebhookId, Vec<TenantId>> = HashMap::new();
        for (webhook, tenant) in Webhook::tenants_of(connection, ids)? {
            tenants.entry(webhook).or_default().push(tenant);
        }
        let destinations: Vec<DestinationId> = ids.iter().map(|id| (*id).into()).collect();
        let states = destination_states(connection, &destinations)?.into_iter();
        let mut states: HashMap<DestinationId, DestinationState> =
            states.map(|state| (state.destination, state)).collect();
        let complete = |webhook: Webhook| {
            let (id, destination) = (webhook.id, DestinationId::from(webhook.id));
            let state = states.remove(&destination);
            let state = state.unwrap_or_else(|| DestinationState::healthy(destination));
            let tenants = tenants.remove(&id).unwrap_or_default();
            (id, (webhook, tenants, state))
        };
        Ok(webhooks.into_iter().map(complete).collect())
    }

    fn show(&self, (webhook, tenants, destination): &Self::Row) -> Result<View, ApiError> {
        view::webhook(&self.sealer, webhook, tenants, destination, None)
    }
}
