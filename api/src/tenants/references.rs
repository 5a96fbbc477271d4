//! `tenantIds` of other nouns.

use beadle_common::db::AnyConnection;
use beadle_common::id::TenantId;
use beadle_common::model::tenant::Tenant;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::Object;

/// The tenants that an object names, each of which has to exist: one query, however many
/// there are. Problems are reported to the object's collector.
pub(crate) fn read_tenant_ids(
    connection: &mut AnyConnection,
    object: &Object<'_>,
) -> Result<Vec<TenantId>, ApiError> {
    let listed = object.ids::<TenantId>("tenantIds");
    let named: Vec<TenantId> = listed.iter().map(|listed| listed.value).collect();
    let mut existing = Tenant::existing_among(connection, named.clone())?;
    existing.sort_unstable();
    for listed in &listed {
        if existing.binary_search(&listed.value).is_err() {
            object.errors().refuse(Prefix::Invalid, &listed.path);
        }
    }
    Ok(named)
}
