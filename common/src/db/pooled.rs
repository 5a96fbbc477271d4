//! The pool's connections: how they are opened, trusted and planned with.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::r2d2::R2D2Connection;
use diesel::{Connection, QueryResult};

use super::connection::AnyConnection;
use super::error::{DbError, one_line};
use super::manager::Manager;
use super::statements::{Failures, Watch};

/// How long a request waits for a free connection before it is answered "not
/// available". Longer only piles up requests that their clients have given up.
pub const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection that has just worked is taken to work still. Asking the server
/// before each use would cost a round trip as long as most queries.
const TRUSTED: Duration = Duration::from_secs(1);

/// How PostgreSQL plans what a connection asks. SQLite plans once, and always by the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planning {
    /// As it likes.
    Usual,
    /// See [`Db::with_generic_plans`](super::Db::with_generic_plans).
    Generic,
}

impl Planning {
    fn set(self) -> &'static str {
        match self {
            Self::Usual => "RESET plan_cache_mode; RESET enable_seqscan; RESET jit",
            // To read what has no index is priced so high that it would be compiled first.
            Self::Generic => {
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off"
            }
        }
    }
}

/// A connection of the pool.
pub(super) struct Pooled {
    pub(super) connection: AnyConnection,
    planning: Planning,
    failures: Failures,
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
        // Whatever the failure was, it may have been the connection's; and not every caller
        // who can make do with what came before it speaks of it.
        let went_well = !self.failures.any_new() && result.is_ok();
        self.worked = went_well.then(Instant::now);
        result
    }
}

/// Connections that are opened when somebody asks for one, and kept for the next.
#[derive(Debug)]
pub(super) struct Pool(r2d2::Pool<PoolManager>);

impl Pool {
    /// Of at most `limit` connections; there is none as yet, and so no error.
    ///
    /// No spare one is ever opened ahead: r2d2 would begin with it as soon as the last one
    /// is taken, which for a command is when it has all that it wants.
    ///
    /// On PostgreSQL nobody waits longer than `lock_wait` for another's lock. On SQLite, which
    /// has one lock, see [`Manager`].
    pub(super) fn new(manager: Manager, limit: u32, lock_wait: Duration) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(limit.max(1))
            .min_idle(Some(0))
            .connection_timeout(CHECKOUT_TIMEOUT)
            .error_handler(Box::new(LogPoolError))
            .build_unchecked(PoolManager { manager, lock_wait });
        Self(pool)
    }

    /// A connection that works; blocks until one is free.
    pub(super) fn get(&self) -> Result<r2d2::PooledConnection<PoolManager>, DbError> {
        let unavailable = |error| DbError::Unavailable(one_line(&error));
        self.0.get().map_err(unavailable)
    }

    /// Connections that somebody works with, or that are being made.
    pub(super) fn in_use(&self) -> u32 {
        let state = self.0.state();
        state.connections.saturating_sub(state.idle_connections)
    }

    /// Connections at most.
    pub(super) fn limit(&self) -> u32 {
        self.0.max_size()
    }
}

/// Opens the pool's connections.
#[derive(Debug)]
pub(super) struct PoolManager {
    manager: Manager,
    lock_wait: Duration,
}

impl r2d2::ManageConnection for PoolManager {
    type Connection = Pooled;
    type Error = DbError;

    fn connect(&self) -> Result<Pooled, DbError> {
        let mut connection = self.manager.open()?;
        if let AnyConnection::Pg(connection) = &mut connection {
            let lock_wait = self.lock_wait.as_millis();
            connection.batch_execute(&format!("SET lock_timeout = {lock_wait}"))?;
        }
        let failures = Failures::default();
        connection.set_instrumentation(Watch {
            counter: self.manager.counter.clone(),
            failures: failures.clone(),
        });
        Ok(Pooled {
            connection,
            planning: Planning::Usual,
            failures,
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
        std::thread::panicking() || pooled.failures.read_only() || pooled.connection.is_broken()
    }
}

/// The pool keeps trying to connect in the background; this is where it says why it cannot.
#[derive(Debug)]
struct LogPoolError;

impl r2d2::HandleError<DbError> for LogPoolError {
    fn handle_error(&self, error: DbError) {
        tracing::warn!("database connection: {}", one_line(&error));
    }
}
