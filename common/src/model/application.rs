//! Applications: what an action may be limited to.

use diesel::prelude::*;
use serde_json::{Map, Value};

use super::crud;
use super::erased::tenants_under_erasure;
use crate::db::{AnyConnection, Json, JsonText, Locking, RowLock};
use crate::id::{ApplicationId, TenantId};
use crate::schema::applications;
use crate::unix_millis::UnixMillis;

/// An application of a tenant.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = applications, treat_none_as_null = true)]
pub struct Application {
    /// Primary key.
    pub id: ApplicationId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Unique within the tenant, ignoring case.
    pub name: String,
    /// `name`, folded.
    pub name_normalized: String,
    /// False after a soft delete.
    pub active: bool,
    /// Free data of the client.
    pub data: JsonText,
    /// Further members of the API.
    pub settings: Json<Map<String, Value>>,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

crud!(Application, applications, ApplicationId, seen: seen);

/// Not of a tenant that is being erased.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn seen() -> _ {
    diesel::dsl::not(applications::tenant_id.eq_any(tenants_under_erasure()))
}

impl Application {
    /// Whose name this is within the tenant, ignoring case.
    pub fn by_name(
        connection: &mut AnyConnection,
        tenant: TenantId,
        name: &str,
    ) -> QueryResult<Option<ApplicationId>> {
        applications::table
            .filter(applications::tenant_id.eq(tenant))
            .filter(applications::name_normalized.eq(super::normalize(name)))
            .select(applications::id)
            .first(connection)
            .optional()
    }

    /// Those of `ids` that exist in the tenant.
    pub fn existing_in(
        connection: &mut AnyConnection,
        tenant: TenantId,
        ids: &[ApplicationId],
    ) -> QueryResult<Vec<ApplicationId>> {
        applications::table
            .filter(applications::tenant_id.eq(tenant))
            .filter(applications::id.eq_any(ids.to_vec()))
            .select(applications::id)
            .load(connection)
    }

    /// Whether the tenant has all of these, which differ; they stay until the transaction ends.
    pub fn hold_all(
        connection: &mut AnyConnection,
        tenant: TenantId,
        ids: &[ApplicationId],
    ) -> QueryResult<bool> {
        if ids.is_empty() {
            return Ok(true);
        }
        let held = applications::table
            .filter(applications::tenant_id.eq(tenant))
            .filter(applications::id.eq_any(ids.to_vec()))
            .order(applications::id)
            .select(applications::id);
        let held: Vec<ApplicationId> = Locking::of(held, RowLock::Reference).load(connection)?;
        Ok(held.len() == ids.len())
    }
}
