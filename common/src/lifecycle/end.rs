//! Phase end: a log whose expiry has passed. Run by the workers, for nobody in particular.

use std::time::Duration;

use serde_json::Map;
use tokio::task::JoinSet;

use super::Setup;
use super::commit::{Conflict, commit};
use super::modify::{next_revision, who};
use super::phase::{Change, PhaseInput, Step};
use super::reader::Reader;
use super::refusal::Refusal;
use crate::db::{AnyConnection, Db, DbError, one_line};
use crate::id::ActionLogId;
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::user_action::Phase;
use crate::unix_millis::UnixMillis;

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
pub async fn end_due(db: &Db, setup: &Setup, now: UnixMillis) -> Result<EndRun, DbError> {
    let due = db
        .read(move |connection| Ok::<_, DbError>(ActionLog::ends_due(connection, now, BATCH)?))
        .await?;
    let mut run = EndRun {
        ended: 0,
        more: i64::try_from(due.len()).is_ok_and(|found| found == BATCH),
        wake: false,
    };
    let mut waiting = due.into_iter();
    let mut ending = JoinSet::new();
    loop {
        while ending.len() < AT_ONCE
            && let Some(id) = waiting.next()
        {
            let ender = Ender {
                db: db.clone(),
                setup: setup.clone(),
                id,
                now,
            };
            ending.spawn(ender.end_or_postpone());
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

/// Ends one log. Whatever is wrong with a log, its mail or what it rests on is in nobody
/// else's way.
#[derive(Clone)]
struct Ender {
    db: Db,
    setup: Setup,
    id: ActionLogId,
    now: UnixMillis,
}

impl Ender {
    /// None: somebody else was first, or it has been put off.
    async fn end_or_postpone(self) -> Result<Option<Ended>, DbError> {
        let ended = match self.end(None).await {
            // A mail that cannot be stored is lost, and the action ends: nobody stays banned
            // for a mail.
            Err(EndError::WithMail(error)) => {
                let lost = format!(
                    "the mail of the end of the action {} could not be stored: {}",
                    self.id,
                    one_line(&error)
                );
                self.end(Some(lost)).await
            }
            done => done,
        };
        let error = match ended {
            Ok(done) => return Ok(done),
            Err(EndError::WithMail(error) | EndError::Other(error)) => error,
        };
        self.postpone(error).await?;
        Ok(None)
    }

    async fn end(&self, lost: Option<String>) -> Result<Option<Ended>, EndError> {
        let ender = self.clone();
        let prepared = self
            .db
            .read(move |connection| ender.prepare(connection, lost))
            .await?;
        let Some(change) = prepared else {
            return Ok(None);
        };
        let (leaves_work, has_mail) = (change.leaves_work(), change.mail.is_some());
        let written = self.db.write(move |connection| commit(connection, *change));
        match written.await {
            Ok(_) => Ok(Some(Ended { leaves_work })),
            // Another worker, or a modification at the last moment.
            Err(Conflict::Changed) => Ok(None),
            Err(Conflict::Database(error @ DbError::Query(_))) if has_mail => {
                Err(EndError::WithMail(error))
            }
            Err(Conflict::Database(error)) => Err(EndError::Other(error)),
        }
    }

    /// What ends the log, unless it is gone or not due any more. `lost` tells why it is to
    /// end without its mail.
    fn prepare(
        &self,
        connection: &mut AnyConnection,
        lost: Option<String>,
    ) -> Result<Option<Box<Change>>, DbError> {
        let Some(log) = ActionLog::find(connection, self.id)? else {
            return Ok(None);
        };
        if log.end_due.is_none_or(|due| due > self.now) {
            return Ok(None);
        }
        match prepare_end(connection, &self.setup, self.now, &log, lost) {
            Ok(change) => Ok(Some(Box::new(change))),
            // What it rests on was deleted a moment ago, and the log with it.
            Err(Refusal::NotFound) => Ok(None),
            Err(Refusal::Database(error)) => Err(error),
            // No rule can be broken by an end.
            Err(Refusal::Invalid(_)) => Ok(None),
        }
    }

    /// Puts a log off that cannot be ended. An error that is not the log's own is returned.
    async fn postpone(self, error: DbError) -> Result<(), DbError> {
        if matches!(error, DbError::Unavailable(_)) {
            return Err(error);
        }
        let Self { db, id, now, .. } = self;
        let error = one_line(&error);
        tracing::error!(action.id = %id, "an expired action could not be ended: {error}");
        let later = now.plus(POSTPONED);
        db.write(move |connection| Ok(ActionLog::postpone_end(connection, id, now, later)?))
            .await
    }
}

/// Why a log was not ended.
enum EndError {
    /// What was written with it has a mail, which may be what cannot be stored.
    WithMail(DbError),
    Other(DbError),
}

impl From<DbError> for EndError {
    fn from(error: DbError) -> Self {
        Self::Other(error)
    }
}

fn prepare_end(
    connection: &mut AnyConnection,
    setup: &Setup,
    now: UnixMillis,
    log: &ActionLog,
    lost: Option<String>,
) -> Result<Change, Refusal> {
    let history = HistoryItem::of_log(connection, log.id)?;
    let actioner = match log.actioner_user_id {
        Some(id) => Reader::new(connection).user(id)?,
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
    .build_with(&mut Reader::new(connection), setup, lost)
}
