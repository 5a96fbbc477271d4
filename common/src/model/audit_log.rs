//! The audit log: who changed what, told by those who did it, or by Beadle of its own
//! configuration.

use diesel::prelude::*;

use super::search::{Column, Found, Sort, Window, found, like, order};
use crate::db::{AnyConnection, JsonText, MultiBackend};
use crate::id::TenantId;
use crate::schema::audit_logs;
use crate::unix_millis::UnixMillis;

/// An entry that is not written yet.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = audit_logs)]
pub struct NewAuditLog {
    /// The tenant that the call was limited to.
    pub tenant_id: Option<TenantId>,
    /// Who did it.
    pub insert_user: String,
    /// What they did.
    pub message: String,
    /// Why.
    pub reason: Option<String>,
    /// What was there before.
    pub old_value: Option<JsonText>,
    /// What is there now.
    pub new_value: Option<JsonText>,
    /// Free data of the client.
    pub data: JsonText,
    /// When.
    pub insert_instant: UnixMillis,
    /// The tenant whose erasure takes the values along.
    pub erased_with: Option<TenantId>,
}

/// An entry. Rows are never changed, but for values that are erased.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_logs)]
pub struct AuditLog {
    /// Counts upwards.
    pub id: i64,
    /// The tenant that the call was limited to.
    pub tenant_id: Option<TenantId>,
    /// Who did it.
    pub insert_user: String,
    /// What they did.
    pub message: String,
    /// Why.
    pub reason: Option<String>,
    /// What was there before.
    pub old_value: Option<JsonText>,
    /// What is there now.
    pub new_value: Option<JsonText>,
    /// Free data of the client.
    pub data: JsonText,
    /// When.
    pub insert_instant: UnixMillis,
    /// The tenant whose erasure takes the values along.
    pub erased_with: Option<TenantId>,
}

/// Which entries to find. Texts are read as [`super::search::pattern`] says.
#[derive(Debug, Clone, Default)]
pub struct AuditLogCriteria {
    /// In the message.
    pub message: Option<String>,
    /// In who did it.
    pub user: Option<String>,
    /// In the old value, as JSON.
    pub old_value: Option<String>,
    /// In the new value, as JSON.
    pub new_value: Option<String>,
    /// In the reason.
    pub reason: Option<String>,
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Not before.
    pub start: Option<UnixMillis>,
    /// Not after.
    pub end: Option<UnixMillis>,
}

impl NewAuditLog {
    /// Adds this entry, and returns it with its number.
    pub fn insert(&self, connection: &mut AnyConnection) -> QueryResult<AuditLog> {
        diesel::insert_into(audit_logs::table)
            .values(self)
            .returning(audit_logs::all_columns)
            .get_result(connection)
    }
}

impl AuditLog {
    /// Takes the values out of entries that are erased with a tenant, at most `limit` of them,
    /// and returns how many there were: that something changed stays on record, and what it was
    /// does not.
    pub fn forget_values_of(
        connection: &mut AnyConnection,
        tenant: TenantId,
        limit: i64,
    ) -> QueryResult<usize> {
        let ids: Vec<i64> = audit_logs::table
            .filter(audit_logs::erased_with.eq(tenant))
            .limit(limit)
            .select(audit_logs::id)
            .load(connection)?;
        diesel::update(audit_logs::table.filter(audit_logs::id.eq_any(ids)))
            .set((
                audit_logs::old_value.eq(None::<JsonText>),
                audit_logs::new_value.eq(None::<JsonText>),
                audit_logs::erased_with.eq(None::<TenantId>),
            ))
            .execute(connection)
    }

    /// The entry with this number.
    pub fn find(connection: &mut AnyConnection, id: i64) -> QueryResult<Option<Self>> {
        audit_logs::table
            .find(id)
            .select(Self::as_select())
            .first(connection)
            .optional()
    }

    /// The entries with these numbers, in no order.
    pub fn load(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        audit_logs::table
            .filter(audit_logs::id.eq_any(ids.to_vec()))
            .select(Self::as_select())
            .load(connection)
    }

    /// How many entries meet the criteria, and the numbers of a part of them. Sorts by
    /// `insertInstant`, `insertUser` and `message`, then the newest first.
    pub fn search(
        connection: &mut AnyConnection,
        criteria: &AuditLogCriteria,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<Found<i64>> {
        let order = order(sorts, column, "id DESC");
        Ok(found!(
            connection,
            criteria.query(),
            audit_logs::id,
            order,
            window
        ))
    }
}

impl AuditLogCriteria {
    fn query(&self) -> audit_logs::BoxedQuery<'_, MultiBackend> {
        use audit_logs::dsl;
        let mut query = audit_logs::table.into_boxed();
        if let Some(text) = &self.message {
            query = query.filter(like!(dsl::message, text));
        }
        if let Some(text) = &self.user {
            query = query.filter(like!(dsl::insert_user, text));
        }
        if let Some(text) = &self.old_value {
            query = query.filter(like!(dsl::old_value, text));
        }
        if let Some(text) = &self.new_value {
            query = query.filter(like!(dsl::new_value, text));
        }
        if let Some(text) = &self.reason {
            query = query.filter(like!(dsl::reason, text));
        }
        if let Some(tenant) = self.tenant {
            query = query.filter(dsl::tenant_id.eq(tenant));
        }
        if let Some(start) = self.start {
            query = query.filter(dsl::insert_instant.ge(start));
        }
        if let Some(end) = self.end {
            query = query.filter(dsl::insert_instant.le(end));
        }
        query
    }
}

fn column(field: &str) -> Option<Column> {
    match field {
        "insertInstant" => Some(Column::Always("insert_instant")),
        "insertUser" => Some(Column::Always("insert_user")),
        "message" => Some(Column::Always("message")),
        _ => None,
    }
}
