//! `GET /api/webhook[/{webhookId}]`

use std::collections::HashMap;

use beadle_common::id::{LaneId, TenantId, WebhookId};
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox::{LaneState, lane_state, lane_states};
use beadle_common::seal::Sealer;
use serde_json::Value;

use super::{WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_webhooks(call: Call) -> Answer {
    let id: Option<WebhookId> = call.id()?;
    let Some(id) = id else {
        return list(call).await;
    };
    let (webhook, tenants, lane) = call
        .state()
        .read(move |connection| {
            let webhook = Webhook::find(connection, id)?.ok_or(ApiError::NotFound)?;
            let tenants = Webhook::tenants(connection, id)?;
            Ok((webhook, tenants, lane_state(connection, id.into())?))
        })
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::webhook(&call.state().sealer, &webhook, &tenants, &lane, None)?,
    ))
}

/// All webhooks, the tenants of each that is not global, and how they fare.
pub(super) struct Listing {
    pub(super) webhooks: Vec<Webhook>,
    pub(super) tenants: HashMap<WebhookId, Vec<TenantId>>,
    lanes: HashMap<LaneId, LaneState>,
}

impl Listing {
    pub(super) fn tenants_of(&self, webhook: WebhookId) -> &[TenantId] {
        self.tenants.get(&webhook).map_or(&[], Vec::as_slice)
    }

    pub(super) fn view(&self, sealer: &Sealer, webhook: &Webhook) -> Result<Value, ApiError> {
        let id = LaneId::from(webhook.id);
        let lane = self.lanes.get(&id).cloned();
        let lane = lane.unwrap_or_else(|| LaneState::healthy(id));
        view::webhook(sealer, webhook, self.tenants_of(webhook.id), &lane, None)
    }
}

pub(super) async fn load(call: &Call) -> Result<Listing, ApiError> {
    let (webhooks, pairs, states) = call
        .state()
        .read(|connection| {
            let webhooks = Webhook::all(connection)?;
            let pairs = Webhook::all_tenants(connection)?;
            let lanes: Vec<LaneId> = webhooks.iter().map(|webhook| webhook.id.into()).collect();
            Ok((webhooks, pairs, lane_states(connection, &lanes)?))
        })
        .await?;
    let mut tenants: HashMap<WebhookId, Vec<TenantId>> = HashMap::new();
    for (webhook, tenant) in pairs {
        tenants.entry(webhook).or_default().push(tenant);
    }
    let lanes = states.into_iter().map(|state| (state.lane, state));
    Ok(Listing {
        webhooks,
        tenants,
        lanes: lanes.collect(),
    })
}

/// The newest first.
async fn list(call: Call) -> Answer {
    let mut listing = load(&call).await?;
    let mut webhooks = std::mem::take(&mut listing.webhooks);
    webhooks.sort_by_key(|webhook| std::cmp::Reverse((webhook.insert_instant, webhook.id)));
    let sealer = &call.state().sealer;
    let views = webhooks.iter().map(|webhook| listing.view(sealer, webhook));
    let list = views.collect::<Result<Vec<Value>, ApiError>>()?;
    Ok(answer::wrapped("webhooks", Value::Array(list)))
}
