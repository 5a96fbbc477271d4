//! Actions that are asked for at the same time, taken together.

use std::sync::Arc;
use std::time::Instant;

use beadle_common::db::{
    AnyConnection, CHECKOUT_TIMEOUT, Db, DbError, Gather, Gathered, Notice, Threads, Wake,
};
use beadle_common::lifecycle::{
    Call, Change, Conflict, Remembered, Setup, Taking, commit_together, prepare_together,
};
use beadle_common::outbox::Kind;

use crate::extract::{Credentials, look_up};

/// Actions that share a transaction at most.
const BATCH: usize = 64;

/// Two: while one waits for the disk, the other prepares what has come in meanwhile.
const THREADS: Threads = Threads {
    name: "take",
    count: 2,
};

/// A request for an action.
#[derive(Debug)]
pub(super) struct Asking {
    /// If nobody has looked the key up: that is done for all at once, too.
    pub(super) credentials: Option<Credentials>,
    /// What is asked for. If there are credentials, its scope is still to come.
    pub(super) taking: Taking,
}

/// Takes actions together, as far as they can be: a commit is paid for by all that have come
/// in while the one before it was written.
#[derive(Debug, Clone)]
pub struct Together(Arc<Gather<Asking, Change>>);

impl Together {
    /// Takes actions in this database.
    #[must_use]
    pub fn new(db: Db, wake: Wake, setup: Setup) -> Self {
        let remembered = Arc::new(Remembered::default());
        let gather = Gather::start(THREADS, BATCH, CHECKOUT_TIMEOUT, move |asked| {
            let notice = wake.notice(Kind::Webhook, Instant::now());
            let changes = take(&db, &setup, &remembered, asked, notice)?;
            if changes.iter().flatten().any(Change::leaves_work) {
                match notice {
                    Some(_) => wake.wake_here(Kind::Webhook),
                    None => wake.wake_for(Kind::Webhook),
                }
            }
            let answer = |change: Option<Change>| change.map_or(Gathered::Alone, Gathered::Answer);
            Ok(changes.into_iter().map(answer).collect())
        });
        Self(Arc::new(gather))
    }

    /// Takes an action with whatever others are asked for. None: nothing has happened, for
    /// want of a good key or for another reason, and it goes its own way.
    pub(super) async fn take(&self, asking: Asking) -> Result<Option<Change>, DbError> {
        match self.0.ask(asking).await? {
            Gathered::Answer(change) => Ok(Some(change)),
            Gathered::Alone => Ok(None),
        }
    }
}

/// Twice: what is remembered may not be right, and is forgotten then.
fn take(
    db: &Db,
    setup: &Setup,
    remembered: &Arc<Remembered>,
    asked: Vec<Asking>,
    notice: Option<Notice>,
) -> Result<Vec<Option<Change>>, DbError> {
    let now = asked.iter().map(|asking| asking.taking.call.now).max();
    let Some(now) = now else {
        return Ok(Vec::new());
    };
    let takings = db.read_blocking(|connection| admit(connection, asked))?;
    for _ in 0..2 {
        let prepared = db.read_blocking(|connection| {
            let prepared = prepare_together(connection, setup, remembered, &takings, now)?;
            Ok::<_, DbError>(prepared)
        })?;
        if prepared.is_empty() {
            return Ok(Vec::new());
        }
        let remembered = Arc::clone(remembered);
        let commit = move |c: &mut AnyConnection| commit_together(c, &remembered, prepared, notice);
        match db.write_in_steps_blocking(commit) {
            Ok(changes) => return Ok(changes),
            Err(Conflict::Changed) => {}
            Err(Conflict::Database(error)) => return Err(error),
        }
    }
    // Alone, each finds out whether that was its own fault.
    Ok(Vec::new())
}

/// Those who may, with the tenant that they are limited to.
fn admit(
    connection: &mut AnyConnection,
    asked: Vec<Asking>,
) -> Result<Vec<Option<Taking>>, DbError> {
    let credentials = asked
        .iter()
        .filter_map(|asking| asking.credentials.as_ref());
    let mut found = look_up(connection, credentials.map(Credentials::claim))?.into_iter();
    let admit = |asking: Asking| {
        let Asking {
            credentials,
            taking,
        } = asking;
        let Some(credentials) = credentials else {
            return Some(taking);
        };
        let (_, scope) = credentials.judge(found.next()?).ok()?;
        let Taking { call, request } = taking;
        let call = Call { scope, ..call };
        Some(Taking { call, request })
    };
    Ok(asked.into_iter().map(admit).collect())
}
