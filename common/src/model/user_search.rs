//! Searches for users. They are many, so the database filters, sorts and pages.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::normalize;
use super::search::{Column, Found, Sort, Window, found, order, pattern};
use super::user::seen;
use crate::db::{AnyConnection, MultiBackend};
use crate::id::{TenantId, UserId};
use crate::schema::users;

/// Which users, in which order, and which part of them.
#[derive(Debug, Clone)]
pub struct UserSearch {
    /// Of this tenant only.
    pub tenant: Option<TenantId>,
    /// One of these; empty: any.
    pub ids: Vec<UserId>,
    /// Email, username or a name match this, ignoring case. `*` stands for anything; without
    /// one, a name only has to contain it.
    pub text: Option<String>,
    /// By `email`, `firstName`, `fullName`, `id`, `insertInstant`, `lastName`,
    /// `lastUpdateInstant` and `username`. Names are compared ignoring case, and whoever lacks
    /// one comes last.
    pub order: Vec<Sort>,
    /// Which part of them.
    pub window: Window,
}

type Condition = Box<dyn BoxableExpression<users::table, MultiBackend, SqlType = Bool>>;

impl UserSearch {
    /// The users found.
    pub fn run(&self, connection: &mut AnyConnection) -> QueryResult<Found<UserId>> {
        let order = order(&self.order, column, "insert_instant, id");
        Ok(found!(
            connection,
            self.query(),
            users::id,
            order,
            self.window
        ))
    }

    fn query(&self) -> users::BoxedQuery<'static, MultiBackend> {
        let mut query = users::table.into_boxed().filter(seen());
        if let Some(tenant) = self.tenant {
            query = query.filter(users::tenant_id.eq(tenant));
        }
        if !self.ids.is_empty() {
            query = query.filter(users::id.eq_any(self.ids.clone()));
        }
        if let Some(text) = &self.text {
            query = query.filter(named(&pattern(&normalize(text))));
        }
        query
    }
}

fn column(field: &str) -> Option<Column> {
    match field {
        "email" => Some(Column::Maybe("email")),
        "firstName" => Some(Column::Maybe("first_name_normalized")),
        "fullName" => Some(Column::Maybe("full_name_normalized")),
        "id" => Some(Column::Always("id")),
        "insertInstant" => Some(Column::Always("insert_instant")),
        "lastName" => Some(Column::Maybe("last_name_normalized")),
        "lastUpdateInstant" => Some(Column::Always("last_update_instant")),
        "username" => Some(Column::Maybe("username_normalized")),
        _ => None,
    }
}

/// Whether any name of a user is like the pattern. Who lacks a name is not.
fn named(pattern: &str) -> Condition {
    macro_rules! like {
        ($column:expr) => {
            $column
                .is_not_null()
                .and($column.like(pattern.to_owned()).escape('\\'))
                .assume_not_null()
        };
    }
    Box::new(
        like!(users::email)
            .or(like!(users::username_normalized))
            .or(like!(users::first_name_normalized))
            .or(like!(users::last_name_normalized))
            .or(like!(users::full_name_normalized)),
    )
}
