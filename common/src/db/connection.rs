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
