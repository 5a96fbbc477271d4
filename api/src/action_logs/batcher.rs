//! Actions that are asked for at the same time, taken together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use beadle_common::db::{
    AnyConnection, BatchOutcome, Batcher, CHECKOUT_TIMEOUT, Db, DbError, Notice, Threads,
};
use beadle_common::lifecycle::{
    BatchItem, Change, ConfigCache, ConfigSnapshot, Conflict, Setup, commit_batch, prepare_batch,
};
use beadle_common::outbox::Kind;

use crate::error::ApiError;
use crate::extract::{Credentials, authenticate_batch};
use crate::state::State;

/// Actions that share a transaction at most.
const BATCH: usize = 64;

/// Two: while one waits for the disk, the other prepares what has come in meanwhile.
const THREADS: Threads = Threads {
    name: "take",
    count: 2,
};

/// One for each thread.
const CONNECTIONS: u32 = 2;

/// How long a batch waits for somebody who holds a row, for example of a user who is being
/// deleted. After that each goes alone, and only who needs that very row waits on.
const LOCK_WAIT: Duration = Duration::from_millis(50);

/// A request for an action.
#[derive(Debug)]
pub(super) struct BatchRequest {
    /// If nobody has looked the key up: that is done for all at once, too.
    pub(super) credentials: Option<Credentials>,
    /// What is asked for. If there are credentials, its scope is still to come.
    pub(super) item: BatchItem,
}

/// Takes actions together, as far as they can be: a commit is paid for by all that have come
/// in while the one before it was written.
#[derive(Debug, Clone)]
pub struct ActionBatcher(Arc<Batcher<BatchRequest, Taken>>);

impl ActionBatcher {
    /// Takes actions in the database of this state.
    #[must_use]
    pub fn new(state: &State) -> Self {
        let (wake, setup) = (state.wake.clone(), state.setup.clone());
        let db = state.db.with_own_pool(CONNECTIONS, LOCK_WAIT);
        let cache = Arc::new(ConfigCache::default());
        let batcher = Batcher::start(THREADS, BATCH, CHECKOUT_TIMEOUT, move |asked| {
            let notice = wake.notice(Kind::Webhook, Instant::now());
            let taken = take(&db, &setup, &cache, asked, notice)?;
            if taken.iter().flatten().flatten().any(Change::leaves_work) {
                match notice {
                    Some(_) => wake.wake_here(Kind::Webhook),
                    None => wake.wake_for(Kind::Webhook),
                }
            }
            let answer =
                |taken: Option<Taken>| taken.map_or(BatchOutcome::Declined, BatchOutcome::Answer);
            Ok(taken.into_iter().map(answer).collect())
        });
        Self(Arc::new(batcher))
    }

    /// Takes an action with whatever others are asked for. None: nothing has happened, and it
    /// goes its own way.
    ///
    /// # Errors
    /// As [`Credentials::judge`], or that of the database.
    pub(super) async fn submit(&self, request: BatchRequest) -> Result<Option<Change>, ApiError> {
        match self.0.ask(request).await? {
            BatchOutcome::Answer(taken) => taken.map(Some),
            BatchOutcome::Declined => Ok(None),
        }
    }
}

/// What was taken, or why its caller may not.
type Taken = Result<Change, ApiError>;

/// In the order of those who asked. None: it goes alone.
fn take(
    db: &Db,
    setup: &Setup,
    cache: &Arc<ConfigCache>,
    asked: Vec<BatchRequest>,
    notice: Option<Notice>,
) -> Result<Vec<Option<Taken>>, DbError> {
    let Some(now) = asked.iter().map(|request| request.item.call.now).max() else {
        return Ok(Vec::new());
    };
    let asked = asked.into_iter();
    let (credentials, mut items): (Vec<_>, Vec<_>) = asked
        .map(|request| (request.credentials, request.item))
        .unzip();
    let mut refusals = Vec::new();
    // Twice: if the configuration has changed, all of it is read anew.
    for _ in 0..2 {
        let batch = db.read_blocking(|connection| {
            let snapshot = cache.snapshot(connection, now)?;
            refusals = authenticate(connection, &snapshot, &credentials, &mut items)?;
            let may = items.iter().zip(&refusals);
            let may = may.map(|(item, refusal)| refusal.is_none().then_some(item));
            let may: Vec<Option<&BatchItem>> = may.collect();
            let batch = prepare_batch(connection, setup, &snapshot, &may, now)?;
            Ok::<_, DbError>(batch)
        })?;
        if batch.is_empty() {
            break;
        }
        let cache = Arc::clone(cache);
        let commit = move |c: &mut AnyConnection| commit_batch(c, &cache, batch, notice);
        match db.write_autocommit_blocking(commit) {
            Ok(changes) => return Ok(answers(changes, refusals)),
            Err(Conflict::Changed) => {}
            Err(Conflict::Database(error)) => return Err(error),
        }
    }
    // Alone, each finds out whether that was its own fault.
    Ok(answers(Vec::new(), refusals))
}

/// Limits each to the tenant that its caller may act for, and says why others may not at all.
fn authenticate(
    connection: &mut AnyConnection,
    snapshot: &ConfigSnapshot,
    credentials: &[Option<Credentials>],
    items: &mut [BatchItem],
) -> Result<Vec<Option<ApiError>>, DbError> {
    let callers: Vec<&Credentials> = credentials.iter().flatten().collect();
    let mut scopes = authenticate_batch(connection, snapshot, &callers)?.into_iter();
    let refusal = |(credentials, item): (&Option<Credentials>, &mut BatchItem)| {
        credentials.as_ref()?;
        match scopes.next() {
            Some(Ok(scope)) => {
                item.call.scope = scope;
                None
            }
            Some(Err(refusal)) => Some(refusal),
            None => Some(ApiError::internal("a key without a verdict")),
        }
    };
    Ok(credentials.iter().zip(items).map(refusal).collect())
}

/// No changes: nothing was written.
fn answers(changes: Vec<Option<Change>>, refusals: Vec<Option<ApiError>>) -> Vec<Option<Taken>> {
    let mut changes = changes.into_iter();
    let answer = |refusal: Option<ApiError>| {
        let change = changes.next().flatten();
        refusal.map(Err).or_else(|| change.map(Ok))
    };
    refusals.into_iter().map(answer).collect()
}
