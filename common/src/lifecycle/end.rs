//! Phase end: a log whose expiry has passed. Run by the workers, for nobody in particular.

use std::time::Duration;

use serde_json::Map;
use tokio::task::JoinSet;

use super::Setup;
use super::commit::{Conflict, commit};
use super::modify::{next_revision, who};
use super::phase::{Change, PhaseInput, Step};
use super::refusal::Refusal;
use super::sources::Sources;
use crate::db::{AnyConnection, Db, DbError, one_line};
use crate::instant::Instant;
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::user_action::Phase;

/// Logs looked at in one go.
const BATCH: i64 = 100;

/// Ends committed side by side: on SQLite they share a commit, on PostgreSQL they fill
/// the connections. One after another, each would wait for the disk alone.
const AT_ONCE: usize = 8;

/// When a log that cannot be ended is tried again. Meanwhile it is not in the way of
/// the others.
const POSTPONED: Duration = Duration::from_secs(60);

/// What one look for expired logs did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndRun {
    /// Logs that this run has ended.
    pub ended: usize,
    /// There may be more that are due already.
    pub more: bool,
    /// The outbox has got something to deliver.
    pub wake: bool,
}

/// Ends what has expired by `now`. Any number of processes may do this at once: each
/// log is ended by the one whose commit finds it unchanged since it looked.
///
/// # Errors
/// Those of the database. A log that cannot be ended is logged and tried again later.
pub async fn end_due(db: &Db, setup: &Setup, now: Instant) -> Result<EndRun, DbError> {
    let of_setup = setup.clone();
    let prepared = db
        .read(move |connection| prepare_due(connection, &of_setup, now))
        .await?;
    let mut run = EndRun {
        ended: 0,
        more: prepared.more,
        wake: false,
    };
    let mut waiting = prepared.changes.into_iter();
    let mut ending = JoinSet::new();
    loop {
        while ending.len() < AT_ONCE
            && let Some((log, change)) = waiting.next()
        {
            ending.spawn(end_one(db.clone(), log, change, now));
        }
        match ending.join_next().await {
            None => return Ok(run),
            Some(Ok(Ok(None))) => {}
            Some(Ok(Ok(Some(Ended { leaves_work })))) => {
                run.ended += 1;
                run.wake |= leaves_work;
            }
            Some(Ok(Err(error))) => return Err(error),
            // Only a panic: nobody cancels these tasks while they are waited for.
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// A log that this process has ended.
struct Ended {
    leaves_work: bool,
}

/// Commits one end. None: somebody else was first, or it has been put off.
async fn end_one(
    db: Db,
    log: ActionLog,
    change: Result<Box<Change>, DbError>,
    now: Instant,
) -> Result<Option<Ended>, DbError> {
    let error = match change {
        Err(error) => error,
        Ok(change) => {
            let leaves_work = change.leaves_work();
            let written = db.write(move |connection| commit(connection, *change));
            match written.await {
                Ok(_) => return Ok(Some(Ended { leaves_work })),
                // Another worker, or a modification at the last moment.
                Err(Conflict::Changed) => return Ok(None),
                Err(Conflict::Database(error)) => error,
            }
        }
    };
    postpone(&db, log, now, error).await?;
    Ok(None)
}

/// Puts a log off that cannot be ended. An error that is not the log's own is returned.
async fn postpone(db: &Db, log: ActionLog, now: Instant, error: DbError) -> Result<(), DbError> {
    if matches!(error, DbError::Unavailable(_)) {
        return Err(error);
    }
    let error = one_line(&error);
    tracing::error!(action.id = %log.id, "an expired action could not be ended: {error}");
    db.write(move |connection| Ok(log.postpone_end(connection, now.plus(POSTPONED))?))
        .await
}

struct Prepared {
    /// Each log with its end, or with what is in the way of it.
    changes: Vec<(ActionLog, Result<Box<Change>, DbError>)>,
    more: bool,
}

fn prepare_due(
    connection: &mut AnyConnection,
    setup: &Setup,
    now: Instant,
) -> Result<Prepared, DbError> {
    let logs = ActionLog::ends_due(connection, now, BATCH)?;
    let more = i64::try_from(logs.len()).is_ok_and(|found| found == BATCH);
    let mut changes = Vec::with_capacity(logs.len());
    for log in logs {
        let change = match prepare_end(connection, setup, now, &log) {
            Ok(change) => Ok(Box::new(change)),
            // Deleted since we looked.
            Err(Refusal::NotFound) => continue,
            Err(Refusal::Database(error @ DbError::Unavailable(_))) => return Err(error),
            Err(Refusal::Database(error)) => Err(error),
            // No rule can be broken by an end.
            Err(Refusal::Invalid(_)) => continue,
        };
        changes.push((log, change));
    }
    Ok(Prepared { changes, more })
}

fn prepare_end(
    connection: &mut AnyConnection,
    setup: &Setup,
    now: Instant,
    log: &ActionLog,
) -> Result<Change, Refusal> {
    let history = HistoryItem::of_log(connection, log.id)?;
    let actioner = match log.actioner_user_id {
        Some(id) => Sources::new(connection).user(id)?,
        None => None,
    };
    let who = who(connection, log, actioner)?;
    let ended = ActionLog {
        end_due: None,
        ..next_revision(log, now)
    };
    PhaseInput {
        phase: Phase::End,
        step: Step::Replace {
            seen_revision: log.revision,
            remembered: false,
        },
        history,
        email_user: log.email_user_on_end,
        notify_user: log.notify_user_on_end,
        broadcast: who.definition.send_end_event,
        now,
        info: Map::new(),
        who,
        log: ended,
    }
    .build(&mut Sources::new(connection), setup)
}
