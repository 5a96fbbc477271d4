//! The tables, one file each: row structs, and the queries that read and write them.
//!
//! Functions take a connection and return what Diesel returns, so that a caller can
//! put several of them into one transaction. They know no clock, no pool, no HTTP.
//! Rows of the life cycle (logs, events, outbox) are written by [`crate::lifecycle`]
//! and [`crate::outbox`] alone.

pub mod action_log;
pub mod action_search;
pub mod api_key;
pub mod application;
pub mod audit_log;
pub mod email;
pub mod email_template;
pub(crate) mod erased;
pub mod event;
pub mod event_log;
pub mod failed_login;
pub mod idempotency_key;
pub mod listing;
pub mod lockout;
pub mod mail_limit;
pub mod reason;
pub mod registration;
pub mod sealed;
pub mod search;
pub mod signing_key;
pub mod suppression;
pub mod tenant;
pub mod user;
pub mod user_action;
pub mod user_search;
pub mod webhook;

/// What uniqueness ignoring case is checked by: the same on both databases, since
/// their own ideas of case differ beyond ASCII.
#[must_use]
pub fn normalize(text: &str) -> String {
    text.trim().to_lowercase()
}

/// `find` (also with a lock), `load`, `exists`, `all` and `delete` of a table. Rows that are
/// not `seen` are found by none of them.
macro_rules! rows {
    ($row:ident, $table:ident, $id:ty $(, seen: $seen:path)?) => {
        impl $row {
            /// The row with this Id.
            pub fn find(
                connection: &mut $crate::db::AnyConnection,
                id: $id,
            ) -> diesel::QueryResult<Option<Self>> {
                use diesel::prelude::*;
                $crate::schema::$table::table
                    .find(id)
                    $(.filter($seen()))?
                    .select(Self::as_select())
                    .first(connection)
                    .optional()
            }

            /// The row with this Id, which nobody else changes until the transaction ends.
            /// Whoever writes a row by what was read of it reads it so: between a plain `find`
            /// and the update somebody else's change would be lost.
            pub fn find_for_update(
                connection: &mut $crate::db::AnyConnection,
                id: $id,
            ) -> diesel::QueryResult<Option<Self>> {
                Self::find_locked(connection, id, $crate::db::RowLock::Update)
            }

            /// The row with this Id, which is about to be deleted: nobody changes it or adds
            /// what refers to it until the transaction ends.
            pub fn find_for_delete(
                connection: &mut $crate::db::AnyConnection,
                id: $id,
            ) -> diesel::QueryResult<Option<Self>> {
                Self::find_locked(connection, id, $crate::db::RowLock::Delete)
            }

            fn find_locked(
                connection: &mut $crate::db::AnyConnection,
                id: $id,
                lock: $crate::db::RowLock,
            ) -> diesel::QueryResult<Option<Self>> {
                use diesel::prelude::*;
                let row = $crate::schema::$table::table
                    .find(id)
                    $(.filter($seen()))?
                    .select(Self::as_select());
                $crate::db::Locking::of(row, lock)
                    .get_result(connection)
                    .optional()
            }

            /// Whether there is a row with this Id.
            pub fn exists(
                connection: &mut $crate::db::AnyConnection,
                id: $id,
            ) -> diesel::QueryResult<bool> {
                use diesel::prelude::*;
                let row = $crate::schema::$table::table.find(id)$(.filter($seen()))?;
                diesel::select(diesel::dsl::exists(row)).get_result(connection)
            }

            /// The rows with these Ids, in no order.
            pub fn load(
                connection: &mut $crate::db::AnyConnection,
                ids: &[$id],
            ) -> diesel::QueryResult<Vec<Self>> {
                use diesel::prelude::*;
                let rows = $crate::schema::$table::table
                    .filter($crate::schema::$table::id.eq_any(ids.to_vec()))
                    $(.filter($seen()))?
                    .select(Self::as_select());
                $crate::db::CachedInList::of(ids.len(), rows).load(connection)
            }

            /// Every row; the caller sorts.
            pub fn all(
                connection: &mut $crate::db::AnyConnection,
            ) -> diesel::QueryResult<Vec<Self>> {
                use diesel::prelude::*;
                $crate::schema::$table::table
                    $(.filter($seen()))?
                    .select(Self::as_select())
                    .load(connection)
            }

            /// Removes the row with this Id. False: there is none.
            ///
            /// # Errors
            /// Those of the database, a reference that still holds among them.
            pub fn delete(
                connection: &mut $crate::db::AnyConnection,
                id: $id,
            ) -> diesel::QueryResult<bool> {
                use diesel::prelude::*;
                let rows =
                    diesel::delete($crate::schema::$table::table.find(id)).execute(connection)?;
                Ok(rows == 1)
            }
        }
    };
}
pub(crate) use rows;

/// The same, with `insert` and `update` (every column but the key) of a table whose row
/// has one struct for both.
macro_rules! crud {
    ($row:ident, $table:ident, $id:ty $(, seen: $seen:path)?) => {
        $crate::model::rows!($row, $table, $id $(, seen: $seen)?);

        impl $row {
            /// Adds this row.
            ///
            /// # Errors
            /// Those of the database, a duplicate key among them.
            pub fn insert(
                &self,
                connection: &mut $crate::db::AnyConnection,
            ) -> diesel::QueryResult<()> {
                use diesel::prelude::*;
                diesel::insert_into($crate::schema::$table::table)
                    .values(self)
                    .execute(connection)?;
                Ok(())
            }

            /// Writes every column of the row with this Id. False: there is none.
            ///
            /// # Errors
            /// Those of the database, a duplicate key among them.
            pub fn update(
                &self,
                connection: &mut $crate::db::AnyConnection,
            ) -> diesel::QueryResult<bool> {
                use diesel::prelude::*;
                let rows = diesel::update($crate::schema::$table::table.find(self.id))
                    .set(self)
                    .execute(connection)?;
                Ok(rows == 1)
            }
        }
    };
}
pub(crate) use crud;

/// Functions that say whose a unique value is: what a caller checks before it writes,
/// since a violation tells neither database's caller which value it was.
macro_rules! unique {
    ($row:ident, $table:ident, $id:ty, $($(#[$doc:meta])* $name:ident: $column:ident),+ $(,)?) => {
        impl $row {$(
            $(#[$doc])*
            pub fn $name(
                connection: &mut $crate::db::AnyConnection,
                text: &str,
            ) -> diesel::QueryResult<Option<$id>> {
                use diesel::prelude::*;
                use $crate::schema::$table as table;
                table::table
                    .filter(table::$column.eq($crate::model::normalize(text)))
                    .select(table::id)
                    .first(connection)
                    .optional()
            }
        )+}
    };
}
pub(crate) use unique;
