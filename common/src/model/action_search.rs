//! Searches for the logs of all users: who did what. They are many, so the database
//! filters, sorts and pages.

use diesel::prelude::*;

use super::action_log::seen;
use super::search::{Column, Found, Sort, Window, found, order};
use crate::db::{AnyConnection, MultiBackend};
use crate::id::{ActionLogId, TenantId, UserActionId, UserId};
use crate::schema::action_logs;
use crate::unix_millis::UnixMillis;

/// Which logs, in which order, and which part of them.
#[derive(Debug, Clone)]
pub struct ActionSearch {
    /// Of users of this tenant only.
    pub tenant: Option<TenantId>,
    /// Who was acted upon.
    pub actionee: Option<UserId>,
    /// Who acted last.
    pub actioner: Option<UserId>,
    /// The definition.
    pub user_action: Option<UserActionId>,
    /// In force at `now`, or not.
    pub active: Option<bool>,
    /// Applied then or later.
    pub start: Option<UnixMillis>,
    /// Applied then or earlier.
    pub end: Option<UnixMillis>,
    /// By `expiry`, `id`, `insertInstant`, `lastUpdateInstant` and `name`. What has no expiry
    /// comes last.
    pub order: Vec<Sort>,
    /// Which part of them.
    pub window: Window,
    /// The clock.
    pub now: UnixMillis,
}

impl ActionSearch {
    /// The logs found.
    pub fn run(&self, connection: &mut AnyConnection) -> QueryResult<Found<ActionLogId>> {
        let order = order(&self.order, column, "id DESC");
        Ok(found!(
            connection,
            self.query(),
            action_logs::id,
            order,
            self.window
        ))
    }

    fn query(&self) -> action_logs::BoxedQuery<'static, MultiBackend> {
        let mut query = action_logs::table.into_boxed().filter(seen());
        if let Some(tenant) = self.tenant {
            query = query.filter(action_logs::tenant_id.eq(tenant));
        }
        if let Some(user) = self.actionee {
            query = query.filter(action_logs::actionee_user_id.eq(user));
        }
        if let Some(user) = self.actioner {
            query = query.filter(action_logs::actioner_user_id.eq(user));
        }
        if let Some(definition) = self.user_action {
            query = query.filter(action_logs::user_action_id.eq(definition));
        }
        if let Some(start) = self.start {
            query = query.filter(action_logs::insert_instant.ge(start));
        }
        if let Some(end) = self.end {
            query = query.filter(action_logs::insert_instant.le(end));
        }
        let expiry = action_logs::expiry;
        match self.active {
            Some(true) => query.filter(action_logs::canceled.eq(false).and(expiry.gt(self.now))),
            Some(false) => query.filter(
                action_logs::canceled
                    .eq(true)
                    .or(expiry.is_null())
                    .or(expiry.le(self.now)),
            ),
            None => query,
        }
    }
}

fn column(field: &str) -> Option<Column> {
    match field {
        "expiry" => Some(Column::Maybe("expiry")),
        "id" => Some(Column::Always("id")),
        "insertInstant" => Some(Column::Always("insert_instant")),
        "lastUpdateInstant" => Some(Column::Always("last_update_instant")),
        "name" => Some(Column::Always("name")),
        _ => None,
    }
}
