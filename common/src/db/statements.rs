//! Counts what is asked of the database, and notes what failed. A slow machine changes every
//! time that is measured; the number of statements stays what the code makes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::result::{DatabaseErrorKind, Error};

/// What has been asked of the database so far, by all connections of a [`Db`](super::Db).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statements {
    /// Statements run, those that begin and end transactions among them. On PostgreSQL each
    /// is a round trip.
    pub run: u64,
    /// Of those, how many were prepared to be used again.
    pub kept: u64,
}

impl Statements {
    /// How many have been added since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            run: self.run.saturating_sub(before.run),
            kept: self.kept.saturating_sub(before.kept),
        }
    }
}

/// The counts that connections add to.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    run: AtomicU64,
    kept: AtomicU64,
}

impl Counter {
    pub(super) fn read(&self) -> Statements {
        Statements {
            run: self.0.run.load(Ordering::Relaxed),
            kept: self.0.kept.load(Ordering::Relaxed),
        }
    }
}

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let count = match event {
            InstrumentationEvent::StartQuery { .. } => &self.0.run,
            InstrumentationEvent::CacheQuery { .. } => &self.0.kept,
            _ => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// What has gone wrong on one connection, whoever heard of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Failures(Arc<Noted>);

#[derive(Debug, Default)]
struct Noted {
    any_new: AtomicBool,
    read_only: AtomicBool,
}

impl Failures {
    /// Whether a statement has failed since this was last asked.
    pub(super) fn any_new(&self) -> bool {
        self.0.any_new.swap(false, Ordering::Relaxed)
    }

    /// Whether the server has refused to write: the connection leads to one that is not the
    /// primary, and will not lead anywhere else.
    pub(super) fn read_only(&self) -> bool {
        self.0.read_only.load(Ordering::Relaxed)
    }

    fn note(&self, error: &Error) {
        self.0.any_new.store(true, Ordering::Relaxed);
        if let Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) = error {
            self.0.read_only.store(true, Ordering::Relaxed);
        }
    }
}

/// Counts what a connection is asked, and notes what failed.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) counter: Counter,
    pub(super) failures: Failures,
}

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::FinishQuery {
            error: Some(error), ..
        } = event
        {
            self.failures.note(error);
        }
        self.counter.on_connection_event(event);
    }
}
