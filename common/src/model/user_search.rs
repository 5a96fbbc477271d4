//! Searches for users. They are many, so the database filters, sorts and pages.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::fold;
use super::search::{Window, pattern};
use super::user::{User, seen};
use crate::db::{AnyConnection, MultiBackend};
use crate::id::{TenantId, UserId};
use crate::schema::users;

/// What users can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserField {
    /// Email.
    Email,
    /// Username, ignoring case.
    Username,
    /// First name, ignoring case.
    FirstName,
    /// Last name, ignoring case.
    LastName,
    /// Full name, ignoring case.
    FullName,
    /// When the user was made.
    InsertInstant,
    /// When the user was changed last.
    LastUpdateInstant,
    /// The Id.
    Id,
}

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
    /// Each upwards, or down if true. Who lacks a value comes last.
    pub order: Vec<(UserField, bool)>,
    /// Which part of them.
    pub window: Window,
}

type Condition = Box<dyn BoxableExpression<users::table, MultiBackend, SqlType = Bool>>;

impl UserSearch {
    /// The users found, and how many there are before paging.
    ///
    /// # Errors
    /// Those of the database.
    pub fn run(&self, connection: &mut AnyConnection) -> QueryResult<(Vec<User>, i64)> {
        let total = users::table
            .filter(self.condition())
            .count()
            .get_result(connection)?;
        let mut query = users::table
            .filter(self.condition())
            .select(User::as_select())
            .into_boxed();
        for (field, down) in &self.order {
            macro_rules! by {
                ($column:expr) => {
                    match down {
                        false => query
                            .then_order_by($column.is_null())
                            .then_order_by($column.asc()),
                        true => query
                            .then_order_by($column.is_null())
                            .then_order_by($column.desc()),
                    }
                };
            }
            query = match field {
                UserField::Email => by!(users::email),
                UserField::Username => by!(users::username_key),
                UserField::FirstName => by!(users::first_name_key),
                UserField::LastName => by!(users::last_name_key),
                UserField::FullName => by!(users::full_name_key),
                UserField::InsertInstant if *down => {
                    query.then_order_by(users::insert_instant.desc())
                }
                UserField::InsertInstant => query.then_order_by(users::insert_instant),
                UserField::LastUpdateInstant if *down => {
                    query.then_order_by(users::last_update_instant.desc())
                }
                UserField::LastUpdateInstant => query.then_order_by(users::last_update_instant),
                UserField::Id if *down => query.then_order_by(users::id.desc()),
                UserField::Id => query.then_order_by(users::id),
            };
        }
        let found = query
            .then_order_by(users::insert_instant)
            .then_order_by(users::id)
            .limit(self.window.results)
            .offset(self.window.start)
            .load(connection)?;
        Ok((found, total))
    }

    fn condition(&self) -> Condition {
        let mut condition: Condition = Box::new(seen());
        if let Some(tenant) = self.tenant {
            condition = Box::new(condition.and(users::tenant_id.eq(tenant)));
        }
        if !self.ids.is_empty() {
            condition = Box::new(condition.and(users::id.eq_any(self.ids.clone())));
        }
        if let Some(text) = &self.text {
            condition = Box::new(condition.and(named(&pattern(&fold(text)))));
        }
        condition
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
            .or(like!(users::username_key))
            .or(like!(users::first_name_key))
            .or(like!(users::last_name_key))
            .or(like!(users::full_name_key)),
    )
}
