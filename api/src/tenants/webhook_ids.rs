//! `webhookIds` beside a tenant: the webhooks that serve it, as far as they do not serve
//! all tenants anyway.

use beadle_common::db::AnyConnection;
use beadle_common::id::{TenantId, WebhookId};
use beadle_common::model::webhook::Webhook;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::input::Object;

const MEMBER: &str = "webhookIds";

/// The webhooks that the request ties to the tenant; none: it does not say. Problems are
/// reported.
pub(super) fn read_webhook_ids(
    connection: &mut AnyConnection,
    members: &Map<String, Value>,
    errors: &Collector,
) -> Result<Option<Vec<WebhookId>>, ApiError> {
    let body = Object::root(members, errors);
    if body.value(MEMBER).is_none() {
        return Ok(None);
    }
    let listed = body.ids::<WebhookId>(MEMBER);
    let ids: Vec<WebhookId> = listed.iter().map(|listed| listed.value).collect();
    let found = Webhook::load(connection, &ids)?;
    for listed in &listed {
        if !found.iter().any(|webhook| webhook.id == listed.value) {
            errors.refuse(Prefix::Invalid, &listed.path);
        }
    }
    let tied = found.iter().filter(|webhook| !webhook.global);
    Ok(Some(tied.map(|webhook| webhook.id).collect()))
}

/// Ties these webhooks to the tenant, and no others.
pub(super) fn tie(
    connection: &mut AnyConnection,
    tenant: TenantId,
    webhooks: Option<&[WebhookId]>,
) -> Result<(), ApiError> {
    match webhooks {
        Some(webhooks) => Ok(Webhook::set_webhooks_of(connection, tenant, webhooks)?),
        None => Ok(()),
    }
}
