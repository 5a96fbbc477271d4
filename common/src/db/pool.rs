//! [`Db`]: the only way to a connection. Reads borrow one from the pool, changes
//! run in a transaction that is already open.

use std::sync::Arc;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;

use super::connection::AnyConnection;
use super::error::{DbError, one_line};
use super::manager::{IfMissing, Manager, SqliteSynchronous};
use super::migrate;
use super::pooled::{CHECKOUT_TIMEOUT, Planning, Pool, PoolManager};
use super::sqlite_writer::{Outcome, SqliteWriter};
use super::statements::{Counter, Statements};
use super::url::{Backend, DatabaseUrl};

/// How to use a database.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// Which database.
    pub url: DatabaseUrl,
    /// Connections per process. Too few: requests queue. Too many: PostgreSQL spends
    /// its cores on switching, and its `max_connections` runs out.
    pub connections: u32,
    /// SQLite only.
    pub synchronous: SqliteSynchronous,
    /// SQLite only.
    pub if_missing: IfMissing,
}

/// How busy the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Connections that somebody works with, or that are being made.
    pub in_use: u32,
    /// Connections at most.
    pub limit: u32,
}

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Arc<Pool>,
    /// One permit for each connection: whoever has to wait does so without a thread.
    permits: Arc<Semaphore>,
    /// On SQLite all changes go through one thread; see [`SqliteWriter`].
    writer: Option<Arc<SqliteWriter>>,
    counter: Counter,
    planning: Planning,
    manager: Manager,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("url", self.url()).finish()
    }
}

impl Db {
    /// Connects, and brings the tables up to date. Blocks.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] with one line that says why the database cannot be used.
    pub fn open(options: &DbOptions) -> Result<Self, DbError> {
        let counter = Counter::default();
        let manager = Manager {
            url: options.url.clone(),
            synchronous: options.synchronous,
            counter: counter.clone(),
        };
        manager.check_file(options.if_missing)?;
        prepare(&manager).map_err(|error| unusable(&options.url, error))?;
        let writer = match options.url.backend() {
            Backend::Sqlite => Some(Arc::new(SqliteWriter::start(manager.clone())?)),
            Backend::Postgres => None,
        };
        let pool = Pool::new(manager.clone(), options.connections, CHECKOUT_TIMEOUT);
        Ok(Self {
            permits: permits(&pool),
            pool: Arc::new(pool),
            writer,
            counter,
            planning: Planning::Usual,
            manager,
        })
    }

    /// The same database, for those who ask for a few rows by their index, whatever there is
    /// beside them.
    ///
    /// By itself PostgreSQL plans a statement for the tables as they are, and goes on with a
    /// plan made for a nearly empty outbox when there is a backlog, which it then reads from
    /// end to end. To have it plan each time costs about as much as the statement itself.
    /// Here it plans once for each connection, and takes no whole table where there is an
    /// index; the statements are written so that this leaves one way to go.
    #[must_use]
    pub fn with_generic_plans(&self) -> Self {
        Self {
            planning: Planning::Generic,
            ..self.clone()
        }
    }

    /// The same as [`Db::with_generic_plans`], with so many connections of its own on PostgreSQL: for
    /// those who ask the same again and again, and would have to have connections that others
    /// have used plan their way each time. They open none before they need it, and wait for
    /// another's lock for `lock_wait` at most ([`DbError::Locked`]).
    #[must_use]
    pub fn with_own_pool(&self, connections: u32, lock_wait: Duration) -> Self {
        match self.backend() {
            Backend::Sqlite => self.clone(),
            Backend::Postgres => self.with(Pool::new(self.manager.clone(), connections, lock_wait)),
        }
        .with_generic_plans()
    }

    fn with(&self, pool: Pool) -> Self {
        Self {
            permits: permits(&pool),
            pool: Arc::new(pool),
            ..self.clone()
        }
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.url().backend()
    }

    /// Where the database is.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.manager.url
    }

    /// How many connections of the pool are in use. On SQLite the one that writes is not
    /// among them.
    #[must_use]
    pub fn connections(&self) -> Connections {
        Connections {
            in_use: self.pool.in_use(),
            limit: self.pool.limit(),
        }
    }

    /// What has been asked of the database so far, by this process.
    #[must_use]
    pub fn statements(&self) -> Statements {
        self.counter.read()
    }

    /// Runs `work` with a connection, outside any transaction.
    ///
    /// # Errors
    /// What `work` returns, or [`DbError::Unavailable`] as the caller's error.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let permit = self.permit().await?;
        let db = self.clone();
        blocking(permit, move || db.read_blocking(work)).await
    }

    /// Runs `work` in one write transaction: all of it is committed, or nothing.
    ///
    /// # Errors
    /// What `work` returns (nothing is changed then), or a failed commit as the caller's error.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        if let Some(writer) = &self.writer {
            return answer(writer.submit(work)?.await);
        }
        let permit = self.permit().await?;
        let db = self.clone();
        blocking(permit, move || db.write_blocking(work)).await
    }

    /// Runs `work` without a transaction around it on PostgreSQL: a statement is one by
    /// itself, and to open and end another takes two round trips. `work` opens one where it
    /// changes more than that. On SQLite it is a change like any other, all of it or nothing.
    ///
    /// # Errors
    /// What `work` returns, or a failed commit as the caller's error.
    pub async fn write_autocommit<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        match &self.writer {
            Some(_) => self.write(work).await,
            None => self.read(work).await,
        }
    }

    /// As [`Db::read`], for callers that may block.
    pub fn read_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E>,
        E: From<DbError>,
    {
        self.checkout()?.run(work)
    }

    /// As [`Db::write`], for callers that may block.
    pub fn write_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        match &self.writer {
            Some(writer) => answer(writer.submit_blocking(work)?.blocking_recv()),
            None => self
                .checkout()?
                .run(|connection| connection.transaction(work)),
        }
    }

    /// As [`Db::write_autocommit`], for callers that may block.
    pub fn write_autocommit_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        match &self.writer {
            Some(_) => self.write_blocking(work),
            None => self.read_blocking(work),
        }
    }

    /// Moves what SQLite's write-ahead log holds into the file, and empties the log: it would
    /// keep what was erased until somebody opens the database again. Call it when the process
    /// is about to end. Nothing on PostgreSQL. Blocks, for a second at most while another
    /// process reads.
    pub fn checkpoint_blocking(&self) {
        if self.backend() == Backend::Postgres {
            return;
        }
        let emptied = self.manager.open().and_then(|mut connection| {
            let sql = "PRAGMA busy_timeout = 1000; PRAGMA wal_checkpoint(TRUNCATE)";
            Ok(connection.batch_execute(sql)?)
        });
        if let Err(error) = emptied {
            tracing::warn!("the write-ahead log was not emptied: {}", one_line(&error));
        }
    }

    /// Waits for a connection to be free. Waiting in the pool itself would take a thread
    /// for each request, and their stacks and heaps are most of a busy process's memory.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, DbError> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(CHECKOUT_TIMEOUT, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(DbError::Unavailable(format!(
                "all connections have been in use for {CHECKOUT_TIMEOUT:?}"
            ))),
        }
    }

    fn checkout(&self) -> Result<r2d2::PooledConnection<PoolManager>, DbError> {
        let mut pooled = self.pool.get()?;
        pooled.plan(self.planning)?;
        Ok(pooled)
    }
}

/// One for each connection.
fn permits(pool: &Pool) -> Arc<Semaphore> {
    let permits = usize::try_from(pool.limit()).unwrap_or(Semaphore::MAX_PERMITS);
    Arc::new(Semaphore::new(permits))
}

/// Brings the tables up to date, on a connection of its own: the pool would retry for
/// seconds and hide why it cannot connect.
fn prepare(manager: &Manager) -> Result<(), DbError> {
    let applied = migrate::run(&mut manager.open()?)?;
    if !applied.is_empty() {
        tracing::info!(migrations = ?applied, "the database is up to date");
    }
    Ok(())
}

/// One line for whoever started the process: which database, and what is wrong with it.
fn unusable(url: &DatabaseUrl, error: DbError) -> DbError {
    match error {
        error @ DbError::Unavailable(_) => error,
        error => DbError::Unavailable(format!("`{url}`: {}", one_line(&error))),
    }
}

/// What the writer says, with a panic going on in the caller as it does on PostgreSQL.
fn answer<T, E: From<DbError>>(received: Result<Outcome<T, E>, RecvError>) -> Result<T, E> {
    match received {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => Err(lost().into()),
    }
}

/// A write whose answer never came: its thread died in the middle.
fn lost() -> DbError {
    DbError::Unavailable("the writer stopped before it answered".to_owned())
}

/// Runs blocking code off the async threads, within the caller's tracing span. The permit ends
/// with the work: a caller who hangs up does not end it.
async fn blocking<T, E, F>(permit: OwnedSemaphorePermit, work: F) -> Result<T, E>
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    let span = Span::current();
    let work = move || {
        let _permit = permit;
        span.in_scope(work)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(lost().into()),
        },
    }
}
