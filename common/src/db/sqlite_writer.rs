//! The one writer of a SQLite file: takes all changes that wait into one
//! transaction, each in its own savepoint.
//!
//! SQLite has one writer at a time, and with `synchronous = FULL` each commit waits
//! for the disk. Connections that compete for the lock poll for it; one thread that
//! commits whatever has queued up meanwhile does several times more. An answer
//! leaves only after the commit that holds it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use diesel::Connection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use tokio::sync::oneshot;

use super::connection::AnyConnection;
use super::error::DbError;
use super::manager::Manager;

/// Changes that may wait. When it is full, the database is too busy: callers are
/// told so at once rather than after their time-out.
const QUEUE: usize = 1024;

/// Changes that share a commit at most, so that the first of them does not wait long.
const BATCH: usize = 64;

/// Says to a caller what became of its change, once the commit is decided.
type Answer = Box<dyn FnOnce(Result<(), DbError>) + Send>;
type Job = Box<dyn FnOnce(&mut AnyConnection) -> Answer + Send>;

/// Handle on the writer thread. The thread ends when the handle is dropped and the
/// queue is empty.
#[derive(Debug)]
pub(super) struct SqliteWriter {
    queue: SyncSender<Job>,
}

impl SqliteWriter {
    pub(super) fn start(manager: Manager) -> Result<Self, DbError> {
        let (queue, jobs) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(&manager, &jobs))
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self { queue })
    }

    /// Queues a change; its answer comes through the returned channel.
    pub(super) fn submit<T, E, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, E>>, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        let (answer, waiting) = oneshot::channel();
        let span = tracing::Span::current();
        let job: Job = Box::new(move |connection| {
            // Within the batch's transaction this is a savepoint.
            let outcome = span.in_scope(|| connection.transaction(work));
            Box::new(move |committed| {
                let result = match (outcome, committed) {
                    (Ok(_), Err(error)) => Err(error.into()),
                    (outcome, _) => outcome,
                };
                // A caller that went away has no use for the answer.
                let _ = answer.send(result);
            })
        });
        match self.queue.try_send(job) {
            Ok(()) => Ok(waiting),
            Err(TrySendError::Full(_)) => Err(E::from(DbError::Unavailable(format!(
                "{QUEUE} changes are waiting already"
            )))),
            Err(TrySendError::Disconnected(_)) => Err(E::from(DbError::Unavailable(
                "the writer has stopped".to_owned(),
            ))),
        }
    }
}

fn run(manager: &Manager, jobs: &Receiver<Job>) {
    let mut connection = None;
    while let Ok(first) = jobs.recv() {
        let mut open = match connection.take().map_or_else(|| manager.open(), Ok) {
            Ok(open) => open,
            Err(error) => {
                refuse(first, &error);
                continue;
            }
        };
        // A connection that failed or panicked in the middle is not used again.
        if write_batch(&mut open, first, jobs) {
            connection = Some(open);
        }
    }
}

/// Runs a job against a connection that refuses everything, only for its answer.
fn refuse(job: Job, error: &DbError) {
    tracing::error!("cannot open the database: {error}");
    // Dropping the job drops its answer channel, which its caller reads as "not available".
    drop(job);
}

/// Writes `first` and whatever else waits. False: the connection must be replaced.
fn write_batch(connection: &mut AnyConnection, first: Job, jobs: &Receiver<Job>) -> bool {
    if let Err(error) = begin(connection) {
        // The job has not run; its caller may try again.
        tracing::warn!("cannot begin a write: {error}");
        drop(first);
        return false;
    }
    let mut answers = Vec::new();
    let mut next = Some(first);
    let mut healthy = true;
    while let Some(job) = next.take() {
        match catch_unwind(AssertUnwindSafe(|| job(connection))) {
            Ok(answer) => answers.push(answer),
            Err(panic) => {
                log_panic(&*panic);
                healthy = false;
                break;
            }
        }
        if answers.len() < BATCH {
            next = jobs.try_recv().ok();
        }
    }
    let committed = if healthy {
        commit(connection)
    } else {
        Err(diesel::result::Error::RollbackTransaction)
    };
    let healthy = committed.is_ok();
    for answer in answers {
        answer(match &committed {
            Ok(()) => Ok(()),
            Err(error) => Err(DbError::Unavailable(format!("the commit failed: {error}"))),
        });
    }
    healthy
}

/// `BEGIN IMMEDIATE`: a transaction that starts by reading fails as soon as it wants
/// to write, if another process wrote in between.
pub(super) fn begin(connection: &mut AnyConnection) -> diesel::QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")
        }
        AnyConnection::Pg(c) => AnsiTransactionManager::begin_transaction(c),
    }
}

pub(super) fn commit(connection: &mut AnyConnection) -> diesel::QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(c) => AnsiTransactionManager::commit_transaction(c),
        AnyConnection::Pg(c) => AnsiTransactionManager::commit_transaction(c),
    }
}

fn log_panic(panic: &(dyn Any + Send)) {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!("a change panicked and is rolled back: {message}");
}
