//! Searches for the logs of all users: who did what. They are many, so the database
//! filters, sorts and pages.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::action_log::{ActionLog, seen};
use super::search::Window;
use crate::db::{AnyConnection, MultiBackend};
use crate::id::{TenantId, UserActionId, UserId};
use crate::instant::Instant;
use crate::schema::action_logs;

/// What logs can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionField {
    /// When it was applied.
    InsertInstant,
    /// When its state was set.
    LastUpdateInstant,
    /// When it ends or has ended; what has no end comes last.
    Expiry,
    /// The definition's name.
    Name,
    /// The Id.
    Id,
}

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
    pub start: Option<Instant>,
    /// Applied then or earlier.
    pub end: Option<Instant>,
    /// Each upwards, or down if true.
    pub order: Vec<(ActionField, bool)>,
    /// Which part of them.
    pub window: Window,
    /// The clock.
    pub now: Instant,
}

type Condition = Box<dyn BoxableExpression<action_logs::table, MultiBackend, SqlType = Bool>>;

impl ActionSearch {
    /// The logs found, and how many there are before paging.
    ///
    /// # Errors
    /// Those of the database.
    pub fn run(&self, connection: &mut AnyConnection) -> QueryResult<(Vec<ActionLog>, i64)> {
        let mut count = action_logs::table.count().into_boxed();
        let mut query = action_logs::table
            .select(ActionLog::as_select())
            .into_boxed();
        for (first, second) in self.conditions().into_iter().zip(self.conditions()) {
            count = count.filter(first);
            query = query.filter(second);
        }
        for (field, down) in &self.order {
            macro_rules! by {
                ($column:expr) => {
                    match down {
                        false => query.then_order_by($column.asc()),
                        true => query.then_order_by($column.desc()),
                    }
                };
            }
            query = match field {
                ActionField::InsertInstant => by!(action_logs::insert_instant),
                ActionField::LastUpdateInstant => by!(action_logs::last_update_instant),
                ActionField::Expiry => {
                    query = query.then_order_by(action_logs::expiry.is_null());
                    by!(action_logs::expiry)
                }
                ActionField::Name => by!(action_logs::name),
                ActionField::Id => by!(action_logs::id),
            };
        }
        let found = query
            .then_order_by(action_logs::id.desc())
            .limit(self.window.results)
            .offset(self.window.start)
            .load(connection)?;
        Ok((found, count.get_result(connection)?))
    }

    fn conditions(&self) -> Vec<Condition> {
        let mut conditions: Vec<Condition> = vec![Box::new(seen())];
        if let Some(tenant) = self.tenant {
            conditions.push(Box::new(action_logs::tenant_id.eq(tenant)));
        }
        if let Some(user) = self.actionee {
            conditions.push(Box::new(action_logs::actionee_user_id.eq(user)));
        }
        if let Some(user) = self.actioner {
            conditions.push(Box::new(
                action_logs::actioner_user_id
                    .is_not_null()
                    .and(action_logs::actioner_user_id.assume_not_null().eq(user)),
            ));
        }
        if let Some(definition) = self.user_action {
            conditions.push(Box::new(action_logs::user_action_id.eq(definition)));
        }
        if let Some(start) = self.start {
            conditions.push(Box::new(action_logs::insert_instant.ge(start)));
        }
        if let Some(end) = self.end {
            conditions.push(Box::new(action_logs::insert_instant.le(end)));
        }
        let has_end = action_logs::expiry.is_not_null();
        let expiry = action_logs::expiry.assume_not_null();
        match self.active {
            Some(true) => conditions.push(Box::new(
                action_logs::canceled
                    .eq(false)
                    .and(has_end)
                    .and(expiry.gt(self.now)),
            )),
            Some(false) => conditions.push(Box::new(
                action_logs::canceled
                    .eq(true)
                    .or(action_logs::expiry.is_null())
                    .or(has_end.and(expiry.le(self.now))),
            )),
            None => {}
        }
        conditions
    }
}
