//! `webhookIds` beside a tenant: the webhooks that serve it, as far as they do not serve
//! all tenants anyway.

use crate::db::AnyConnection;
use crate::id::{SigningKeyId, TenantId, WebhookId};
use crate::model::signing_key::SigningKeyRow;
use crate::model::webhook::Webhook;
use serde_json::{Map, Value};

use crate::resources::error::ResourceError;
use crate::resources::input::Object;
use crate::resources::problem::{Collector, Prefix};

const MEMBER: &str = "webhookIds";

/// The webhooks that the request ties to the tenant; none: it does not say. Problems are
/// reported. Webhooks are nothing that a key locked to a tenant has a say in.
pub(super) fn read_webhook_ids(
    connection: &mut AnyConnection,
    members: &Map<String, Value>,
    errors: &Collector,
    tenant: TenantId,
    lock: Option<TenantId>,
) -> Result<Option<Vec<WebhookId>>, ResourceError> {
    let body = Object::root(members, errors);
    if body.value(MEMBER).is_none() {
        return Ok(None);
    }
    if lock.is_some() {
        body.refuse(Prefix::NotAllowed, MEMBER);
        return Ok(None);
    }
    let listed = body.ids::<WebhookId>(MEMBER);
    let ids: Vec<WebhookId> = listed.iter().map(|listed| listed.value).collect();
    let found = Webhook::load(connection, &ids)?;
    let foreign = foreign_keys(connection, &found, tenant)?;
    for listed in &listed {
        let webhook = found.iter().find(|webhook| webhook.id == listed.value);
        if webhook.is_none_or(|webhook| keys_of(webhook).any(|key| foreign.contains(&key))) {
            errors.refuse(Prefix::Invalid, &listed.path);
        }
    }
    let tied = found.iter().filter(|webhook| !webhook.global);
    Ok(Some(tied.map(|webhook| webhook.id).collect()))
}

fn keys_of(webhook: &Webhook) -> impl Iterator<Item = SigningKeyId> + use<> {
    let keys = [webhook.signing_key_id, webhook.ssl_certificate_key_id];
    keys.into_iter().flatten()
}

/// Which of the keys that these webhooks name are another tenant's.
fn foreign_keys(
    connection: &mut AnyConnection,
    webhooks: &[Webhook],
    tenant: TenantId,
) -> Result<Vec<SigningKeyId>, ResourceError> {
    let named: Vec<SigningKeyId> = webhooks.iter().flat_map(keys_of).collect();
    let keys = SigningKeyRow::load(connection, &named)?;
    let foreign = keys.iter().filter(|key| !key.serves(tenant));
    Ok(foreign.map(|key| key.id).collect())
}
