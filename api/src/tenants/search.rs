//! `GET` and `POST /api/tenant/search`

use beadle_common::model::listing::TenantSearch;
use beadle_common::model::tenant::Tenant;

use super::retrieve::Tenants;
use crate::answer::Answer;
use crate::extract::Call;
use crate::listing;
use crate::search::{Criteria, read_order, read_window, text_criterion};

pub(super) const FIELDS: [&str; 3] = ["id", "insertInstant", "name"];
pub(super) const DEFAULT_ORDER: &str = "name ASC";

/// A key that is locked to a tenant finds that one only.
pub(super) async fn search_tenants(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let tenant = call.caller().lock;
    let (search, sorts, window) = criteria.read(|criteria| {
        let name = text_criterion(criteria, "name");
        let sorts = read_order(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((TenantSearch { name, tenant }, sorts, read_window(criteria)))
    })?;
    listing::answer(&call, "tenants", Tenants, move |connection| {
        Ok(Tenant::search(connection, &search, &sorts, window)?)
    })
    .await
}
