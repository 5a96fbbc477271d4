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

/// All webhooks, the newest first.
async fn list(call: Call) -> Answer {
    let (mut webhooks, tenants) = call
        .state()
        .read(|connection| Ok((Webhook::all(connection)?, Webhook::all_tenants(connection)?)))
        .await?;
    let mut tenants_of: HashMap<WebhookId, Vec<TenantId>> = HashMap::new();
    for (webhook, tenant) in tenants {
        tenants_of.entry(webhook).or_default().push(tenant);
    }
    webhooks.sort_by_key(|webhook| std::cmp::Reverse((webhook.insert_instant, webhook.id)));
    let sealer = &call.state().sealer;
    let list: Result<Value, ApiError> = webhooks
        .iter()
        .map(|webhook| {
            let tenants = tenants_of.get(&webhook.id).map_or(&[][..], Vec::as_slice);
            view::webhook(sealer, webhook, tenants, None)
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array);
    Ok(answer::wrapped("webhooks", list?))
}
