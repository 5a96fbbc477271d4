//! Actions that are asked for at the same time, taken together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use beadle_common::db::{
    AnyConnection, BatchOutcome, Batcher, CHECKOUT_TIMEOUT, Db, DbError, Notice, Threads,
};
use beadle_common::lifecycle::{
    BatchItem, Change, Conflict, Remembered, Setup, commit_batch, prepare_batch,
};
use beadle_common::outbox::Kind;

use crate::error::ApiError;
use crate::extract::{Admission, Credentials, admit};
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
    pub(super) taking: BatchItem,
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
        let remembered = Arc::new(Remembered::default());
        let batcher = Batcher::start(THREADS, BATCH, CHECKOUT_TIMEOUT, move |asked| {
            let notice = wake.notice(Kind::Webhook, Instant::now());
            let taken = take(&db, &setup, &remembered, asked, notice)?;
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
    pub(super) async fn take(&self, asking: BatchRequest) -> Result<Option<Change>, ApiError> {
        match self.0.ask(asking).await? {
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
    remembered: &Arc<Remembered>,
    asked: Vec<BatchRequest>,
    notice: Option<Notice>,
) -> Result<Vec<Option<Taken>>, DbError> {
    let now = asked.iter().map(|asking| asking.taking.call.now).max();
    let Some(now) = now else {
        return Ok(Vec::new());
    };
    let (credentials, mut takings): (Vec<_>, Vec<_>) = asked
        .into_iter()
        .map(|asking| (asking.credentials, asking.taking))
        .unzip();
    let mut refusals = Vec::new();
    // Twice: what is remembered may not be right, and is forgotten then.
    for _ in 0..2 {
        let prepared = db.read_blocking(|connection| {
            refusals = admit_all(connection, remembered, &credentials, &mut takings, now)?;
            let may = takings.iter().zip(&refusals);
            let may = may.map(|(taking, refusal)| refusal.is_none().then_some(taking));
            let may: Vec<Option<&BatchItem>> = may.collect();
            let prepared = prepare_batch(connection, setup, remembered, &may, now)?;
            Ok::<_, DbError>(prepared)
        })?;
        if prepared.is_empty() {
            break;
        }
        let remembered = Arc::clone(remembered);
        let commit = move |c: &mut AnyConnection| commit_batch(c, &remembered, prepared, notice);
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
fn admit_all(
    connection: &mut AnyConnection,
    remembered: &Remembered,
    credentials: &[Option<Credentials>],
    takings: &mut [BatchItem],
    now: beadle_common::unix_millis::UnixMillis,
) -> Result<Vec<Option<ApiError>>, DbError> {
    let unauthenticated: Vec<&Credentials> = credentials.iter().flatten().collect();
    let mut admissions = admit(connection, remembered, &unauthenticated, now)?.into_iter();
    let refusal = |(credentials, taking): (&Option<Credentials>, &mut BatchItem)| {
        credentials.as_ref()?;
        match admissions.next() {
            Some(Ok(Admission { scope, key })) => {
                taking.call.scope = scope;
                taking.key = Some(key);
                None
            }
            Some(Err(refusal)) => Some(refusal),
            None => Some(ApiError::internal("a key without a verdict")),
        }
    };
    Ok(credentials.iter().zip(takings).map(refusal).collect())
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
