//! The one writer of a SQLite file: takes all changes that wait into one
//! transaction, each in its own savepoint.
//!
//! SQLite has one writer at a time, and with `synchronous = FULL` each commit waits
//! for the disk. Connections that compete for the lock poll for it; one that
//! commits whatever has queued up meanwhile does several times more. An answer
//! leaves only after the commit that holds it.
//!
//! Whoever may block and finds nobody writing writes himself, with all that waits:
//! to hand a change to another thread and wait for it takes two changes of thread.
//! A thread of its own sees to what is left.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
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

/// Handle on the writer. Its thread ends when the handle is dropped and nothing waits.
#[derive(Debug)]
pub(super) struct SqliteWriter {
    queue: Arc<WriteQueue>,
}

/// Where changes are left and written.
struct WriteQueue {
    waiting: Mutex<Waiting>,
    /// Something was left for the thread, or it is to end.
    arrived: Condvar,
    /// Whoever holds it writes.
    writer: Mutex<Writer>,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Writer {
    manager: Manager,
    connection: Option<AnyConnection>,
}

impl std::fmt::Debug for WriteQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteQueue").finish_non_exhaustive()
    }
}

impl SqliteWriter {
    pub(super) fn start(manager: Manager) -> Result<Self, DbError> {
        let queue = Arc::new(WriteQueue {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            writer: Mutex::new(Writer {
                manager,
                connection: None,
            }),
        });
        let of_thread = Arc::clone(&queue);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || of_thread.run())
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self { queue })
    }

    /// Leaves a change to the thread; its answer comes through the returned channel.
    pub(super) fn submit<T, E, F>(&self, work: F) -> Result<oneshot::Receiver<Outcome<T, E>>, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        let waiting = self.enqueue(work)?;
        self.queue.arrived.notify_one();
        Ok(waiting)
    }

    /// The same for callers that may block, who write themselves if nobody else does.
    pub(super) fn submit_blocking<T, E, F>(
        &self,
        work: F,
    ) -> Result<oneshot::Receiver<Outcome<T, E>>, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        let waiting = self.enqueue(work)?;
        self.queue.write_inline();
        Ok(waiting)
    }

    fn enqueue<T, E, F>(&self, work: F) -> Result<oneshot::Receiver<Outcome<T, E>>, E>
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
        self.queue.leave(job)?;
        Ok(waiting)
    }
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        self.queue.waiting().closed = true;
        self.queue.arrived.notify_one();
    }
}

impl WriteQueue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, job: Job) -> Result<(), DbError> {
        let mut waiting = self.waiting();
        if waiting.jobs.len() >= QUEUE {
            let full = format!("{QUEUE} changes are waiting already");
            return Err(DbError::Unavailable(full));
        }
        waiting.jobs.push_back(job);
        Ok(())
    }

    fn next(&self) -> Option<Job> {
        self.waiting().jobs.pop_front()
    }

    /// Gives up everything that waits. Whoever came late has waited, too: one after the other,
    /// each would wait as long again for the same lock.
    fn refuse_all(&self, error: &DbError) {
        let jobs = std::mem::take(&mut self.waiting().jobs);
        for job in jobs {
            refuse(job, error);
        }
    }

    /// Writes one batch, unless somebody else is writing, and leaves the rest to the thread.
    fn write_inline(&self) {
        let writer = match self.writer.try_lock() {
            Ok(writer) => Some(writer),
            Err(TryLockError::Poisoned(writer)) => Some(writer.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut writer) = writer {
            writer.write(self);
        }
        if !self.waiting().jobs.is_empty() {
            self.arrived.notify_one();
        }
    }

    fn run(&self) {
        loop {
            let mut waiting = self.waiting();
            while waiting.jobs.is_empty() {
                if waiting.closed {
                    return;
                }
                waiting = match self.arrived.wait(waiting) {
                    Ok(waiting) => waiting,
                    Err(poisoned) => poisoned.into_inner(),
                };
            }
            drop(waiting);
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.write(self);
        }
    }
}

impl Writer {
    /// Writes a batch of what waits, if anything does.
    fn write(&mut self, queue: &WriteQueue) {
        let Some(first) = queue.next() else {
            return;
        };
        let opened = self.connection.take();
        let mut open = match opened.map_or_else(|| self.manager.open(), Ok) {
            Ok(open) => open,
            Err(error) => return refuse(first, &error),
        };
        // A connection that failed is not used again.
        if write_batch(&mut open, first, queue) {
            self.connection = Some(open);
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

/// Answers a change that could not be tried; its caller may try again.
fn refuse(job: Job, error: &DbError) {
    let reason = one_line(error);
    tracing::warn!("a change is refused: {reason}");
    let answer = job(Err(reason));
    answer(Ok(()));
}

/// Writes `first` and whatever else waits. False: the connection must be replaced.
fn write_batch(connection: &mut AnyConnection, first: Job, queue: &WriteQueue) -> bool {
    if let Err(error) = begin(connection) {
        let error = error.into();
        refuse(first, &error);
        queue.refuse_all(&error);
        return false;
    }
    let mut answers = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next.take() {
        answers.push(job(Ok(&mut *connection)));
        // A full disk makes SQLite roll back everything by itself: nothing more may be
        // written as if the transaction were still there, and the commit will say so.
        if answers.len() < BATCH && depth(connection) == BATCH_DEPTH {
            next = queue.next();
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
