//! `GET /api/webhook[/{webhookId}]`

use std::collections::HashMap;

use beadle_common::id::{TenantId, WebhookId};
use beadle_common::model::webhook::Webhook;
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
    let (webhook, tenants) = call
        .state()
        .read(move |connection| {
            let webhook = Webhook::find(connection, id)?.ok_or(ApiError::NotFound)?;
            Ok((webhook, Webhook::tenants(connection, id)?))
        })
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::webhook(&call.state().sealer, &webhook, &tenants, None)?,
    ))
}

/// All webhooks, and the tenants of each that is not global.
pub(super) struct Listing {
    pub(super) webhooks: Vec<Webhook>,
    pub(super) tenants: HashMap<WebhookId, Vec<TenantId>>,
}

pub(super) async fn load(call: &Call) -> Result<Listing, ApiError> {
    let (webhooks, pairs) = call
        .state()
        .read(|connection| Ok((Webhook::all(connection)?, Webhook::all_tenants(connection)?)))
        .await?;
    let mut tenants: HashMap<WebhookId, Vec<TenantId>> = HashMap::new();
    for (webhook, tenant) in pairs {
        tenants.entry(webhook).or_default().push(tenant);
    }
    Ok(Listing { webhooks, tenants })
}

/// The newest first.
async fn list(call: Call) -> Answer {
    let Listing {
        mut webhooks,
        tenants,
    } = load(&call).await?;
    webhooks.sort_by_key(|webhook| std::cmp::Reverse((webhook.insert_instant, webhook.id)));
    let sealer = &call.state().sealer;
    let views = webhooks.iter().map(|webhook| {
        let tenants = tenants.get(&webhook.id).map_or(&[][..], Vec::as_slice);
        view::webhook(sealer, webhook, tenants, None)
    });
    let list = views.collect::<Result<Vec<Value>, ApiError>>()?;
    Ok(answer::wrapped("webhooks", Value::Array(list)))
}
