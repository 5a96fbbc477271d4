//! Writes what a phase has prepared: all of it, in the caller's transaction.

use super::phase::{Change, Step};
use super::webhook_consent::FirstAttempts;
use crate::db::{AnyConnection, DbError};
use crate::model::application::Application;
use crate::model::event_log::{EventLog, EventLogType};
use crate::model::user::User;
use crate::model::user_action::UserAction;

/// Why a prepared change was not written.
#[derive(Debug, thiserror::Error)]
pub enum Conflict {
    /// Something it rests on has changed since: prepare it again.
    #[error("the action was changed by somebody else")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Database(DbError),
}

impl From<DbError> for Conflict {
    fn from(error: DbError) -> Self {
        match error {
            // A user or a definition that is gone, a history item that is there already,
            // a webhook that was deleted: all mean that preparing anew gives the answer.
            DbError::Reference(_) | DbError::Duplicate(_) | DbError::Conflict(_) => Self::Changed,
            error => Self::Database(error),
        }
    }
}

impl From<diesel::result::Error> for Conflict {
    fn from(error: diesel::result::Error) -> Self {
        DbError::from(error).into()
    }
}

/// Writes log, history, event, mail and outbox rows. Call it in a write transaction,
/// and wake the workers afterwards if [`Change::leaves_work`].
///
/// # Errors
/// [`Conflict`]; the transaction has to be rolled back then.
pub fn commit(connection: &mut AnyConnection, change: Change) -> Result<Change, Conflict> {
    commit_answered(connection, &change, &FirstAttempts::default())?;
    Ok(change)
}

/// The same for a change that webhooks were asked about. What they have answered counts as
/// the first attempt to deliver the event. To be called again only with the same change:
/// receivers know its event.
///
/// # Errors
/// [`Conflict`]; the transaction has to be rolled back then.
pub fn commit_answered(
    connection: &mut AnyConnection,
    change: &Change,
    answers: &FirstAttempts,
) -> Result<(), Conflict> {
    write_log(connection, change)?;
    if let Some(event) = &change.event {
        answers.write(connection, event)?;
    }
    if let Some(mail) = &change.mail {
        mail.queue(connection)?;
    }
    for fault in &change.faults {
        let now = change.log.last_update_instant;
        EventLog::add(connection, now, EventLogType::Error, fault)?;
    }
    Ok(())
}

fn write_log(connection: &mut AnyConnection, change: &Change) -> Result<(), Conflict> {
    match change.step {
        Step::Insert => {
            // The foreign keys see to it that actionee and definition exist.
            let definition = UserAction::find(connection, change.log.user_action_id)?;
            if !definition.is_some_and(|definition| definition.active) {
                return Err(Conflict::Changed);
            }
            // No key does that for the list of applications.
            let applications = &change.log.application_ids.0;
            if !Application::hold_all(connection, change.log.tenant_id, applications)? {
                return Err(Conflict::Changed);
            }
            change.log.insert(connection)?;
        }
        Step::Replace {
            seen_revision,
            remembered,
        } => {
            // A new log holds its actionee by a foreign key, one that is changed does not: what
            // is told of it here would be left by an erasure that has looked already.
            let is_there = User::hold(connection, change.log.actionee_user_id)?;
            if !is_there || !change.log.update_from(connection, seen_revision)? {
                return Err(Conflict::Changed);
            }
            if remembered && let Some(replaced) = change.history.last() {
                replaced.insert(connection)?;
            }
        }
    }
    Ok(())
}
