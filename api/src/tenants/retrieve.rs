//! `GET /api/tenant[/{tenantId}]`

use beadle_common::db::AnyConnection;
use beadle_common::id::TenantId;
use beadle_common::model::listing::TenantSearch;
use beadle_common::model::search::Window;
use beadle_common::model::tenant::Tenant;
use beadle_common::view::{self, Absent, View};

use super::WRAPPER;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};

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
    let search = TenantSearch {
        tenant: call.caller().lock,
        ..TenantSearch::default()
    };
    listing::answer(&call, "tenants", Tenants, move |connection| {
        Ok(Tenant::search(connection, &search, &[], Window::ALL)?.ids)
    })
    .await
}

/// Tenants, without what is secret.
#[derive(Clone)]
pub(super) struct Tenants;

impl Rows for Tenants {
    type Id = TenantId;
    type Row = Tenant;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[TenantId],
    ) -> Result<Vec<(TenantId, Tenant)>, ApiError> {
        let rows = Tenant::load(connection, ids)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn show(&self, row: &Tenant) -> Result<View, ApiError> {
        Ok(view::tenant(row, Absent::Omit))
    }
}
