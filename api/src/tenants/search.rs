//! `GET` and `POST /api/tenant/search`

use beadle_common::model::tenant::Tenant;
use beadle_common::view::{self, Absent};
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::extract::Call;
use crate::search::{Criteria, Key, Order, Page, matches};

pub(super) const FIELDS: [&str; 3] = ["id", "insertInstant", "name"];
pub(super) const DEFAULT_ORDER: &str = "name ASC";

/// A key that is locked to a tenant finds that one only.
pub(super) async fn search_tenants(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (name, order, page) = criteria.read(|criteria| {
        let order = Order::read(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((criteria.text("name"), order, Page::read(criteria)))
    })?;
    let lock = call.caller().lock;
    let mut tenants = call
        .state()
        .read(|connection| Ok(Tenant::all(connection)?))
        .await?;
    tenants.retain(|tenant| {
        lock.is_none_or(|lock| tenant.id == lock)
            && name
                .as_deref()
                .is_none_or(|name| matches(name, &tenant.name))
    });
    order.sort(&mut tenants, |tenant, field| match field {
        "name" => Key::text(&tenant.name),
        "insertInstant" => Key::Number(tenant.insert_instant.millis()),
        _ => Key::Text(tenant.id.to_string()),
    });
    let total = tenants.len();
    let page: Value = page
        .of(tenants)
        .map(|tenant| view::tenant(&tenant, Absent::Omit))
        .collect();
    Ok(answer::json(&json!({"tenants": page, "total": total})))
}
