//! What the system does by itself, with no user as actioner: it locks a user out after too
//! many wrong passwords, for longer with each further one, and lifts the lock.

use super::cancel::canceled;
use super::modify::{next_revision, replace, who};
use super::phase::{Change, PhaseInput, Step};
use super::reader::Reader;
use super::refusal::Refusal;
use super::take::{Found, TakeRequest, start};
use super::{Call, Common, Setup};
use crate::db::AnyConnection;
use crate::id::{UserActionId, UserId};
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::user::User;
use crate::model::user_action::{Phase, UserAction};
use crate::unix_millis::UnixMillis;

/// One step of the system.
#[derive(Debug, Clone)]
pub enum SystemStep {
    /// Applies a definition that is time-based and prevents login.
    Lock {
        /// To whom.
        user: UserId,
        /// The definition.
        definition: UserActionId,
        /// Until when.
        expiry: UnixMillis,
        /// Email the user, now and at the end.
        email_user: bool,
    },
    /// Gives a lock a new end. Whoever guesses passwords decides how often this happens, so
    /// it neither mails the user nor adds to the history of the log.
    Prolong {
        /// The lock.
        log: Box<ActionLog>,
        /// Until when.
        expiry: UnixMillis,
    },
    /// Takes a lock back.
    Lift {
        /// The lock.
        log: Box<ActionLog>,
        /// Email the user.
        email_user: bool,
    },
}

/// Builds everything that a step of the system writes. None: what it is about has ended,
/// or is gone, or the definition may not be applied (any more).
pub fn prepare_by_system(
    connection: &mut AnyConnection,
    setup: &Setup,
    call: &Call,
    step: &SystemStep,
) -> Result<Option<Change>, Refusal> {
    let change = match step {
        SystemStep::Lock {
            user,
            definition,
            expiry,
            email_user,
        } => {
            let Some(found) = found(connection, *user, *definition)? else {
                return Ok(None);
            };
            let request = TakeRequest {
                common: common(*email_user),
                expiry: Some(*expiry),
                ..TakeRequest::default()
            };
            start(&mut Reader::new(connection), setup, call, &request, found)
        }
        SystemStep::Prolong { log, .. } | SystemStep::Lift { log, .. }
            if !log.is_active(call.now) =>
        {
            return Ok(None);
        }
        SystemStep::Prolong { log, expiry } => prolong(connection, setup, call, log, *expiry),
        SystemStep::Lift { log, email_user } => {
            let lifted = ActionLog {
                actioner_user_id: None,
                ..canceled(log, call.now)
            };
            let common = common(*email_user);
            let phase = Phase::Cancel;
            replace(connection, setup, call, phase, log, lifted, None, &common)
        }
    };
    match change {
        Err(Refusal::NotFound) => Ok(None),
        change => change.map(Some),
    }
}

fn common(email_user: bool) -> Common {
    Common {
        email_user,
        ..Common::default()
    }
}

fn found(
    connection: &mut AnyConnection,
    user: UserId,
    definition: UserActionId,
) -> Result<Option<Found>, Refusal> {
    let mut reader = Reader::new(connection);
    let user = reader.user(user)?;
    let definition = reader.definition(definition)?;
    let fits = |user: &User, definition: &UserAction| {
        definition.active && definition.locks() && definition.serves(user.tenant_id)
    };
    Ok(match (user, definition) {
        (Some(actionee), Some(definition)) if fits(&actionee, &definition) => Some(Found {
            actionee,
            actioner: None,
            definition,
            option: None,
            reason: None,
        }),
        _ => None,
    })
}

fn prolong(
    connection: &mut AnyConnection,
    setup: &Setup,
    call: &Call,
    log: &ActionLog,
    expiry: UnixMillis,
) -> Result<Change, Refusal> {
    PhaseInput {
        phase: Phase::Modify,
        step: Step::Replace {
            seen_revision: log.revision,
            remembered: false,
        },
        history: HistoryItem::of_log(connection, log.id)?,
        who: who(connection, log, None)?,
        email_user: false,
        notify_user: log.notify_user_on_end,
        broadcast: call.broadcast,
        now: call.now,
        info: call.info.clone(),
        log: ActionLog {
            expiry: Some(expiry),
            end_due: Some(expiry).filter(|expiry| !expiry.is_never()),
            ..next_revision(log, call.now)
        },
    }
    .build(&mut Reader::new(connection), setup)
}
