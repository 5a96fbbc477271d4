//! `POST /api/webhook/{webhookId}/test`

use beadle_common::db::AnyConnection;
use beadle_common::id::{TenantId, WebhookId};
use beadle_common::lifecycle::{TestEvent, raise_test};
use beadle_common::model::tenant::Tenant;
use beadle_common::model::webhook::Webhook;
use serde_json::{Map, json};

use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Collector;
use crate::extract::Call;
use crate::input::Object;

const DEFAULT_MESSAGE: &str = "A test of this webhook.";
const LONGEST_MESSAGE: usize = 1000;

/// Puts a `test` event for this webhook alone into the outbox. How it went is asked for by
/// the delivery's Id.
pub(super) async fn test_webhook(mut call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let body = match call.has_body() {
        true => Some(call.body().await),
        false => None,
    };
    let (state, scope, now) = (call.state(), call.scope(), call.now());
    let answer = call
        .commit(move |connection| {
            let tenant = tenant(connection, id, scope)?;
            let members = match body.clone() {
                Some(body) => body?.into_members()?,
                None => Map::new(),
            };
            let errors = Collector::new();
            let message = Object::root(&members, &errors).short_text("message", LONGEST_MESSAGE);
            errors.finish()?;
            let test = TestEvent {
                webhook: id,
                tenant,
                message: message.unwrap_or_else(|| DEFAULT_MESSAGE.to_owned()),
                now,
            };
            let (event, delivery) = raise_test(connection, &test)?;
            Ok(Reply::wrapped(
                "delivery",
                json!({"eventId": event, "id": delivery, "webhookId": id}),
            ))
        })
        .await?;
    state.wake.wake();
    Ok(answer)
}

/// On whose behalf: the tenant asked for, the webhook's first, or the default one.
fn tenant(
    connection: &mut AnyConnection,
    webhook: WebhookId,
    scope: Option<TenantId>,
) -> Result<TenantId, ApiError> {
    if !Webhook::exists(connection, webhook)? {
        return Err(ApiError::NotFound);
    }
    if let Some(tenant) = scope {
        return Ok(tenant);
    }
    if let Some(first) = Webhook::tenants(connection, webhook)?.first() {
        return Ok(*first);
    }
    let tenant = Tenant::default_tenant(connection)?;
    let tenant = tenant.ok_or_else(|| ApiError::internal("there is no default tenant"))?;
    Ok(tenant.id)
}
