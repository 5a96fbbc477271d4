//! `tenantIds` of other nouns.

use super::error::ResourceError;
use super::input::Object;
use super::problem::Prefix;
use crate::db::AnyConnection;
use crate::id::TenantId;
use crate::model::tenant::Tenant;

/// Reports the tenants of a list that do not exist: one query, however many there are.
///
/// # Errors
/// Those of the database.
pub fn check_tenant_ids(
    connection: &mut AnyConnection,
    object: &Object<'_>,
) -> Result<Vec<TenantId>, ResourceError> {
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
