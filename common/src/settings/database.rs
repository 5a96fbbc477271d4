//! Where the database is and how to use it.

use clap::Args;

use crate::db::{DatabaseUrl, Db, DbError, DbOptions, IfMissing, SqliteSynchronous};

/// Options about the database.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseSettings {
    /// `sqlite://PATH` for one file, or `postgres://…` for a server
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "DATABASE_URL",
        default_value = "sqlite://beadle.db",
        hide_env_values = true
    )]
    pub database_url: DatabaseUrl,

    /// Connections per process. Too few, and requests queue; too many, and PostgreSQL
    /// runs out of them
    #[arg(
        long,
        alias = "beadle-db-pool",
        env = "BEADLE_DB_POOL",
        value_name = "BEADLE_DB_POOL",
        default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub db_pool: u32,

    /// On SQLite: `normal` trades the last commits on a power cut for speed
    #[arg(
        long,
        alias = "beadle-sqlite-synchronous",
        env = "BEADLE_SQLITE_SYNCHRONOUS",
        value_name = "BEADLE_SQLITE_SYNCHRONOUS",
        default_value = "full"
    )]
    pub sqlite_synchronous: SqliteSynchronous,
}

impl DatabaseSettings {
    /// Connects, and brings the tables up to date. Blocks.
    ///
    /// # Errors
    /// See [`Db::open`].
    pub fn open(&self, if_missing: IfMissing) -> Result<Db, DbError> {
        Db::open(&DbOptions {
            url: self.database_url.clone(),
            connections: self.db_pool,
            synchronous: self.sqlite_synchronous,
            if_missing,
        })
    }
}
