//! `GET` and `POST /api/webhook/search`

use beadle_common::id::TenantId;
use beadle_common::model::webhook::Webhook;
use serde_json::{Value, json};

use super::retrieve::load;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::Object;
use crate::search::{Criteria, Key, Order, Page, matches};

pub(super) const FIELDS: [&str; 4] = ["description", "id", "insertInstant", "url"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC, id DESC";

struct Wanted {
    description: Option<String>,
    url: Option<String>,
    /// Its own webhooks, and the global ones.
    tenant: Option<TenantId>,
    order: Order,
    page: Page,
}

impl Wanted {
    fn read(criteria: &Object<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            description: criteria.text("description"),
            url: criteria.text("url"),
            tenant: criteria.id("tenantId"),
            order: Order::read(criteria, &FIELDS, DEFAULT_ORDER),
            page: Page::read(criteria),
        })
    }

    fn wants(&self, webhook: &Webhook, tenants: &[TenantId]) -> bool {
        let text = |criterion: &Option<String>, text: &str| {
            criterion
                .as_deref()
                .is_none_or(|criterion| matches(criterion, text))
        };
        text(&self.url, &webhook.url)
            && text(
                &self.description,
                webhook.description.as_deref().unwrap_or(""),
            )
            && self
                .tenant
                .is_none_or(|tenant| webhook.global || tenants.contains(&tenant))
    }
}

pub(super) async fn search_webhooks(mut call: Call) -> Answer {
    let wanted = Criteria::of(&mut call).await?.read(Wanted::read)?;
    let mut listing = load(&call).await?;
    let mut webhooks = std::mem::take(&mut listing.webhooks);
    webhooks.retain(|webhook| wanted.wants(webhook, listing.tenants_of(webhook.id)));
    wanted
        .order
        .sort(&mut webhooks, |webhook, field| match field {
            "description" => Key::text(webhook.description.as_deref().unwrap_or("")),
            "url" => Key::text(&webhook.url),
            "insertInstant" => Key::Number(webhook.insert_instant.millis()),
            _ => Key::Text(webhook.id.to_string()),
        });
    let total = webhooks.len();
    let sealer = &call.state().sealer;
    let page: Result<Vec<Value>, ApiError> = wanted
        .page
        .of(webhooks)
        .map(|webhook| listing.view(sealer, &webhook))
        .collect();
    Ok(answer::json(&json!({"total": total, "webhooks": page?})))
}
