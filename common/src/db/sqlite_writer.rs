//! The one writer of a SQLite file: takes all changes that wait into one
//! transaction, each in its own savepoint.
//!
//! SQLite has one writer at a time, and with `synchronous = FULL` each commit waits
//! for the disk. Connections that compete for the lock poll for it; one thread that
//! commits whatever has queued up meanwhile does several times more. An answer
//! leaves only after the commit that holds it.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use diesel::Connection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use tokio::sync::oneshot;

use super::connection::AnyConnection;
use super::error::{DbError, one_line};
use super::manager::Manager;

/// Changes that may wait. When it is full, the database is too busy: callers are
/// told so at once rather than after their time-out.
const QUEUE: usize = 1024;

/// Changes that share a commit at most, so that the first of them does not wait long.
const BATCH: usize = 64;

/// [`depth`] between two changes: the batch's transaction and no savepoint.
const BATCH_DEPTH: Option<NonZeroU32> = Some(NonZeroU32::MIN);

/// Says to a caller what became of its change, once the commit is decided.
type Answer = Box<dyn FnOnce(Result<(), DbError>) + Send>;
/// A change, or the refusal of one: it gets a connection, or the reason why there is none.
type Job = Box<dyn FnOnce(Result<&mut AnyConnection, String>) -> Answer + Send>;

/// What a change returned, or the panic it ended in.
pub(super) type Outcome<T, E> = thread::Result<Result<T, E>>;

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
    pub(super) fn submit<T, E, F>(&self, work: F) -> Result<oneshot::Receiver<Outcome<T, E>>, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        let (answer, waiting) = oneshot::channel();
        let span = tracing::Span::current();
        let job: Job = Box::new(move |connection| {
            let outcome = match connection {
                Ok(connection) => span.in_scope(|| in_savepoint(connection, work)),
                Err(reason) => Ok(Err(DbError::Unavailable(reason).into())),
            };
            Box::new(move |committed| {
                let result = match (outcome, committed) {
                    (Ok(Ok(_)), Err(error)) => Ok(Err(error.into())),
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

/// Runs one change so that it leaves all or nothing in the batch's transaction, even if
/// it panics: the others of the batch must not pay for it.
fn in_savepoint<T, E, F>(connection: &mut AnyConnection, work: F) -> Outcome<T, E>
where
    F: FnOnce(&mut AnyConnection) -> Result<T, E>,
    E: From<diesel::result::Error>,
{
    let outcome = catch_unwind(AssertUnwindSafe(|| connection.transaction(work)));
    if outcome.is_err() {
        // The panic went past the code that closes savepoints, perhaps several of them.
        while depth(connection) > BATCH_DEPTH {
            if rollback(connection).is_err() {
                break;
            }
        }
    }
    outcome
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
        // A connection that failed is not used again.
        if write_batch(&mut open, first, jobs) {
            connection = Some(open);
        }
    }
}

/// Answers a change that could not be tried; its caller may try again.
fn refuse(job: Job, error: &DbError) {
    let reason = one_line(error);
    tracing::warn!("a change is refused: {reason}");
    let answer = job(Err(reason));
    answer(Ok(()));
}

/// Writes `first` and whatever else waits. False: the connection must be replaced.
fn write_batch(connection: &mut AnyConnection, first: Job, jobs: &Receiver<Job>) -> bool {
    if let Err(error) = begin(connection) {
        refuse(first, &error.into());
        return false;
    }
    let mut answers = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next.take() {
        answers.push(job(Ok(&mut *connection)));
        // A full disk makes SQLite roll back everything by itself: nothing more may be
        // written as if the transaction were still there, and the commit will say so.
        if answers.len() < BATCH && depth(connection) == BATCH_DEPTH {
            next = jobs.try_recv().ok();
        }
    }
    let committed = match depth(connection) {
        BATCH_DEPTH => commit(connection),
        _ => Err(diesel::result::Error::BrokenTransactionManager),
    };
    for answer in answers {
        answer(match &committed {
            Ok(()) => Ok(()),
            Err(error) => Err(DbError::Unavailable(format!("the commit failed: {error}"))),
        });
    }
    committed.is_ok()
}

/// How many transactions and savepoints are open; none if that is not known any more.
fn depth(connection: &mut AnyConnection) -> Option<NonZeroU32> {
    let status = match connection {
        AnyConnection::Sqlite(c) => AnsiTransactionManager::transaction_manager_status_mut(c),
        AnyConnection::Pg(c) => AnsiTransactionManager::transaction_manager_status_mut(c),
    };
    status.transaction_depth().ok().flatten()
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

fn rollback(connection: &mut AnyConnection) -> diesel::QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(c) => AnsiTransactionManager::rollback_transaction(c),
        AnyConnection::Pg(c) => AnsiTransactionManager::rollback_transaction(c),
    }
}
