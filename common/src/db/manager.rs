//! Opens connections: the one place that knows pragmas.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};

use super::connection::AnyConnection;
use super::error::{DbError, one_line};
use super::statements::Counter;
use super::url::{self, DatabaseUrl};

/// How long a statement on SQLite waits for another process's write lock.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What to do when the SQLite file is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMissing {
    /// Make it: for commands that set a database up.
    Create,
    /// Say so: an empty file named after a typo helps nobody.
    Refuse,
}

/// SQLite's `synchronous` pragma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum SqliteSynchronous {
    /// A commit has reached the disk when it returns.
    #[default]
    Full,
    /// The last commits may be lost on a power cut, in exchange for speed.
    Normal,
}

/// Opens connections to one database, for the pool and for those outside it.
#[derive(Debug, Clone)]
pub(super) struct Manager {
    pub(super) url: DatabaseUrl,
    pub(super) synchronous: SqliteSynchronous,
    /// What its connections are asked is counted here.
    pub(super) counter: Counter,
}

impl Manager {
    /// Opens a connection that is ready for use.
    pub(super) fn open(&self) -> Result<AnyConnection, DbError> {
        let mut connection = match &self.url {
            DatabaseUrl::Postgres(url) => open_postgres(url),
            DatabaseUrl::Sqlite(path) => open_sqlite(path, self.synchronous),
        }?;
        connection.set_instrumentation(self.counter.clone());
        Ok(connection)
    }

    /// Says in one line why the database cannot be used, before anything tries to.
    pub(super) fn check_file(&self, if_missing: IfMissing) -> Result<(), DbError> {
        let DatabaseUrl::Sqlite(path) = &self.url else {
            return Ok(());
        };
        if path.is_dir() {
            return unavailable(format!("`{}` is a directory, not a file", path.display()));
        }
        if path.exists() {
            return Ok(());
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|p| !p.is_dir()) {
            return unavailable(format!("there is no folder `{}`", folder.display()));
        }
        match if_missing {
            IfMissing::Create => Ok(()),
            IfMissing::Refuse => unavailable(format!(
                "there is no file `{}`; `beadle-api migrate` or `beadle-api serve` makes it",
                path.display()
            )),
        }
    }
}

fn unavailable<T>(reason: String) -> Result<T, DbError> {
    Err(DbError::Unavailable(reason))
}

fn open_postgres(url: &str) -> Result<AnyConnection, DbError> {
    // Whoever is first to initialize OpenSSL decides whether it takes itself down when the
    // process exits. libpq would have it do so, and a process that ends while one of its
    // threads connects would crash; this does not (OPENSSL_INIT_NO_ATEXIT).
    openssl::init();
    match PgConnection::establish(&url::with_bounded_waits(url)) {
        Ok(connection) => Ok(AnyConnection::Pg(connection)),
        Err(error) => unavailable(one_line(&error)),
    }
}

fn open_sqlite(path: &Path, synchronous: SqliteSynchronous) -> Result<AnyConnection, DbError> {
    let Some(path) = path.to_str() else {
        return unavailable(format!("`{}` is not UTF-8", path.display()));
    };
    let mut connection = match SqliteConnection::establish(path) {
        Ok(connection) => connection,
        Err(error) => return unavailable(format!("`{path}`: {}", one_line(&error))),
    };
    let synchronous = match synchronous {
        SqliteSynchronous::Full => "FULL",
        SqliteSynchronous::Normal => "NORMAL",
    };
    // What is erased is overwritten too: SQLite would leave it in the file until its room is
    // used again. Pages that something is deleted from are written anyway, so that it costs
    // nothing that could be measured (20,000 rows through an outbox: 0.43 s of CPU, with or
    // without).
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout = {};
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA synchronous = {synchronous};",
        SQLITE_BUSY_TIMEOUT.as_millis(),
    ))?;
    super::sql_function::register(&mut connection)?;
    Ok(AnyConnection::Sqlite(connection))
}
