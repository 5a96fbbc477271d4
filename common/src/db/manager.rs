//! Opens connections: the one place that knows pragmas.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::r2d2::R2D2Connection;
use diesel::{Connection, PgConnection, QueryResult, SqliteConnection};

use super::connection::AnyConnection;
use super::error::{DbError, one_line};
use super::statements::Counter;
use super::url::DatabaseUrl;

/// How long a statement on SQLite waits for another process's write lock.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection that has just worked is taken to work still. Asking the server
/// before each use would cost a round trip as long as most queries.
const TRUSTED: Duration = Duration::from_secs(1);

/// How PostgreSQL plans what a connection asks. SQLite plans once, and always by the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planning {
    /// As it likes.
    Usual,
    /// See [`Db::by_index`](super::Db::by_index).
    ByIndex,
}

impl Planning {
    fn set(self) -> &'static str {
        match self {
            Self::Usual => "RESET plan_cache_mode; RESET enable_seqscan; RESET jit",
            // To read what has no index is priced so high that it would be compiled first.
            Self::ByIndex => {
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off"
            }
        }
    }
}

/// A connection of the pool.
pub(super) struct Pooled {
    pub(super) connection: AnyConnection,
    planning: Planning,
    /// When it was last known to work.
    worked: Option<Instant>,
}

impl Pooled {
    /// Has it plan this way from now on: a round trip, but only where the connection comes
    /// from somebody who wants it the other way.
    pub(super) fn plan(&mut self, planning: Planning) -> QueryResult<()> {
        if self.planning == planning {
            return Ok(());
        }
        if let AnyConnection::Pg(connection) = &mut self.connection {
            self.worked = None;
            connection.batch_execute(planning.set())?;
        }
        self.planning = planning;
        Ok(())
    }

    /// Uses it, and remembers whether that went well.
    pub(super) fn run<T, E>(
        &mut self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.worked = None;
        let result = work(&mut self.connection);
        // Whatever the failure was, it may have been the connection's.
        self.worked = result.is_ok().then(Instant::now);
        result
    }
}

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

/// Opens connections to one database, for r2d2 and for those outside the pool.
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
    match PgConnection::establish(url) {
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
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout = {};
         PRAGMA foreign_keys = ON;
         PRAGMA synchronous = {synchronous};",
        SQLITE_BUSY_TIMEOUT.as_millis(),
    ))?;
    crate::model::search::register(&mut connection)?;
    Ok(AnyConnection::Sqlite(connection))
}

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = DbError;

    fn connect(&self) -> Result<Pooled, DbError> {
        Ok(Pooled {
            connection: self.open()?,
            planning: Planning::Usual,
            worked: Some(Instant::now()),
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), DbError> {
        match pooled.worked {
            Some(instant) if instant.elapsed() < TRUSTED => Ok(()),
            _ => Ok(pooled.connection.ping()?),
        }
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || pooled.connection.is_broken()
    }
}
