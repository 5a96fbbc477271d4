//! One connection type over both databases.
#![expect(missing_docs, reason = "the derive makes items it gives no docs")]

use diesel::{MultiConnection, PgConnection, SqliteConnection};

/// A connection to either database. Queries written against it run on both.
#[derive(MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL, by libpq.
    Pg(PgConnection),
    /// One SQLite file.
    Sqlite(SqliteConnection),
}

impl AnyConnection {
    /// For what only PostgreSQL has, where the other database can do without.
    pub(crate) fn postgres(&mut self) -> Option<&mut PgConnection> {
        match self {
            Self::Pg(connection) => Some(connection),
            Self::Sqlite(_) => None,
        }
    }
}
