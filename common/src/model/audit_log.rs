//! The audit log: who changed what, told by those who did it.

use diesel::prelude::*;
use serde_json::{Map, Value};

use super::search::{Sort, Window, like, sorted};
use crate::db::{AnyConnection, Json, MultiBackend};
use crate::id::TenantId;
use crate::instant::Instant;
use crate::schema::audit_logs;

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
    pub old_value: Option<Json<Value>>,
    /// What is there now.
    pub new_value: Option<Json<Value>>,
    /// Free data of the client.
    pub data: Json<Map<String, Value>>,
    /// When.
    pub insert_instant: Instant,
}

/// An entry. Rows are never changed.
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
    pub old_value: Option<Json<Value>>,
    /// What is there now.
    pub new_value: Option<Json<Value>>,
    /// Free data of the client.
    pub data: Json<Map<String, Value>>,
    /// When.
    pub insert_instant: Instant,
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
    pub start: Option<Instant>,
    /// Not after.
    pub end: Option<Instant>,
}

impl NewAuditLog {
    /// Adds this entry, and returns it with its number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn insert(&self, connection: &mut AnyConnection) -> QueryResult<AuditLog> {
        diesel::insert_into(audit_logs::table)
            .values(self)
            .returning(audit_logs::all_columns)
            .get_result(connection)
    }
}

impl AuditLog {
    /// The entry with this number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn find(connection: &mut AnyConnection, id: i64) -> QueryResult<Option<Self>> {
        audit_logs::table
            .find(id)
            .select(Self::as_select())
            .first(connection)
            .optional()
    }

    /// How many entries meet the criteria, and a part of them. Sorts by `insertInstant`,
    /// `insertUser` and `message`, then the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn search(
        connection: &mut AnyConnection,
        criteria: &AuditLogCriteria,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<(i64, Vec<Self>)> {
        let total = criteria.query().count().get_result(connection)?;
        let sorted = sorted!(
            criteria.query(), sorts,
            "insertInstant" => audit_logs::insert_instant,
            "insertUser" => audit_logs::insert_user,
            "message" => audit_logs::message,
        );
        let found = sorted
            .then_order_by(audit_logs::id.desc())
            .limit(window.results)
            .offset(window.start)
            .select(Self::as_select())
            .load(connection)?;
        Ok((total, found))
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
            query = query
                .filter(dsl::old_value.is_not_null())
                .filter(like!(dsl::old_value.assume_not_null(), text));
        }
        if let Some(text) = &self.new_value {
            query = query
                .filter(dsl::new_value.is_not_null())
                .filter(like!(dsl::new_value.assume_not_null(), text));
        }
        if let Some(text) = &self.reason {
            query = query
                .filter(dsl::reason.is_not_null())
                .filter(like!(dsl::reason.assume_not_null(), text));
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
