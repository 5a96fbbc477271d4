//! Actions that are asked for at the same time, taken together.

use std::sync::Arc;

use beadle_common::db::{CHECKOUT_TIMEOUT, Db, DbError, Gather, Gathered, Threads, Wake};
use beadle_common::lifecycle::{
    Change, Conflict, Setup, Taking, commit_together, prepare_together,
};

/// Actions that share a transaction at most.
const BATCH: usize = 64;

/// Two: while one waits for the disk, the other prepares what has come in meanwhile.
const THREADS: Threads = Threads {
    name: "take",
    count: 2,
};

/// Takes actions together, as far as they can be: a commit is paid for by all that have come
/// in while the one before it was written.
#[derive(Debug, Clone)]
pub struct Together(Arc<Gather<Taking, Change>>);

impl Together {
    /// Takes actions in this database.
    #[must_use]
    pub fn new(db: Db, wake: Wake, setup: Setup) -> Self {
        let gather = Gather::start(THREADS, BATCH, CHECKOUT_TIMEOUT, move |takings| {
            let changes = take(&db, &setup, &takings)?;
            if changes.iter().flatten().any(Change::leaves_work) {
                wake.wake();
            }
            let answer = |change: Option<Change>| change.map_or(Gathered::Alone, Gathered::Answer);
            Ok(changes.into_iter().map(answer).collect())
        });
        Self(Arc::new(gather))
    }

    /// Takes an action with whatever others are asked for. None: nothing has happened, and
    /// it goes its own way.
    pub(super) async fn take(&self, taking: Taking) -> Result<Option<Change>, DbError> {
        match self.0.ask(taking).await? {
            Gathered::Answer(change) => Ok(Some(change)),
            Gathered::Alone => Ok(None),
        }
    }
}

fn take(db: &Db, setup: &Setup, takings: &[Taking]) -> Result<Vec<Option<Change>>, DbError> {
    let prepared = db.read_blocking(|connection| {
        Ok::<_, DbError>(prepare_together(connection, setup, takings)?)
    })?;
    if prepared.iter().all(Option::is_none) {
        return Ok(prepared);
    }
    let written = db.write_blocking(move |connection| commit_together(connection, prepared));
    match written {
        Ok(changes) => Ok(changes),
        // Alone, each finds out whether that was its own fault.
        Err(Conflict::Changed) => Ok(Vec::new()),
        Err(Conflict::Database(error)) => Err(error),
    }
}
