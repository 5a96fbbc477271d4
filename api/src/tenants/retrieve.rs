//! `GET /api/tenant[/{tenantId}]`

use beadle_common::id::TenantId;
use beadle_common::model::tenant::Tenant;
use beadle_common::view::{self, Absent};
use serde_json::Value;

use super::WRAPPER;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_tenants(call: Call) -> Answer {
    let id: Option<TenantId> = call.id()?;
    let Some(id) = id else {
        return list(call).await;
    };
    let tenant = call
        .state()
        .read(move |connection| Ok(Tenant::find(connection, id)?))
        .await?;
    let tenant = tenant.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(
        WRAPPER,
        view::tenant(&tenant, Absent::Omit),
    ))
}

/// All tenants by name. A key that is locked to one sees that one.
async fn list(call: Call) -> Answer {
    let lock = call.caller().lock;
    let mut tenants = call
        .state()
        .read(|connection| Ok(Tenant::all(connection)?))
        .await?;
    tenants.retain(|tenant| lock.is_none_or(|lock| tenant.id == lock));
    tenants.sort_by(|a, b| (&a.name_key, a.id).cmp(&(&b.name_key, b.id)));
    let list: Value = tenants
        .iter()
        .map(|tenant| view::tenant(tenant, Absent::Omit))
        .collect();
    Ok(answer::wrapped("tenants", list))
}
