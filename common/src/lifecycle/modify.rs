//! Phase modify: an active log gets a new expiry, and a new comment if one is given.

use std::sync::Arc;

use super::phase::{Change, PhaseInput, Step};
use super::reader::{Reader, Who};
use super::refusal::{Field, Problem, Refusal, Violations};
use super::{Call, Common, Setup, take};
use crate::db::AnyConnection;
use crate::id::ActionLogId;
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::user::User;
use crate::model::user_action::Phase;
use crate::unix_millis::UnixMillis;

/// Changes of one log at most, and bytes of comments in its history: all of it is shown with
/// the log, in every event, and to every template.
const MOST_CHANGES: i32 = 10_000;
const MOST_COMMENTS: usize = 1024 * 1024;

/// So many comments are never too much, however long they are.
const FEW_CHANGES: i32 = 16;

/// What a client asks for.
#[derive(Debug, Clone, Default)]
pub struct ModifyRequest {
    /// Shared with the other phases.
    pub common: Common,
    /// The new end; has to be given.
    pub expiry: Option<UnixMillis>,
}

/// Validates the request and builds everything that the modification writes.
///
/// # Errors
/// [`Refusal`]; nothing has been written then, nor if all went well.
pub fn prepare_modify(
    connection: &mut AnyConnection,
    setup: &Setup,
    call: &Call,
    id: ActionLogId,
    request: &ModifyRequest,
) -> Result<Change, Refusal> {
    let log = find_log(connection, call, id)?;
    let mut broken = Violations::default();
    let actioner = take::actioner(
        &mut Reader::new(connection),
        call,
        &request.common,
        &mut broken,
    )?;
    if request.expiry.is_none() {
        broken.add(Field::Expiry, Problem::Missing, "say when the action ends");
    }
    check_active(&log, call.now, &mut broken);
    check_history(connection, &log, &mut broken)?;
    let (actioner, expiry) = broken.or(actioner.zip(request.expiry))?;
    let modified = ActionLog {
        actioner_user_id: Some(actioner.id),
        comment: request.common.comment.clone().or(log.comment.clone()),
        email_user_on_end: request.common.email_user,
        notify_user_on_end: request.common.notify_user,
        expiry: Some(expiry),
        end_due: Some(expiry).filter(|expiry| !expiry.is_never()),
        ..next_revision(&log, call.now)
    };
    replace(
        connection,
        setup,
        call,
        Phase::Modify,
        &log,
        modified,
        Some(actioner),
        &request.common,
    )
}

/// The log, as far as the caller may see it.
pub(super) fn find_log(
    connection: &mut AnyConnection,
    call: &Call,
    id: ActionLogId,
) -> Result<ActionLog, Refusal> {
    ActionLog::find(connection, id)?
        .filter(|log| call.scope.is_none_or(|tenant| tenant == log.tenant_id))
        .ok_or(Refusal::NotFound)
}

/// Only what is time-based and in force can be modified or canceled.
pub(super) fn check_active(log: &ActionLog, now: UnixMillis, broken: &mut Violations) {
    if log.expiry.is_none() {
        broken.add(
            Field::ActionId,
            Problem::Invalid,
            "the action is not time-based, it can be neither modified nor canceled",
        );
    } else if !log.is_active(now) {
        broken.add(
            Field::ActionId,
            Problem::Invalid,
            "the action has ended or was canceled, take it anew",
        );
    }
}

/// A history has an end. To cancel an action, or to have it end, is always possible.
fn check_history(
    connection: &mut AnyConnection,
    log: &ActionLog,
    broken: &mut Violations,
) -> Result<(), Refusal> {
    if log.revision <= FEW_CHANGES {
        return Ok(());
    }
    let history = HistoryItem::of_log(connection, log.id)?;
    let comments = history.iter().filter_map(|item| item.comment.as_deref());
    let bytes: usize = comments.map(str::len).sum();
    if log.revision > MOST_CHANGES || bytes > MOST_COMMENTS {
        broken.add(
            Field::ActionId,
            Problem::Invalid,
            "the action has been modified too often, cancel it and take it anew",
        );
    }
    Ok(())
}

/// The log as it is, one change later.
pub(super) fn next_revision(log: &ActionLog, now: UnixMillis) -> ActionLog {
    ActionLog {
        revision: log.revision.saturating_add(1),
        last_update_instant: now,
        ..log.clone()
    }
}

/// Builds the change from one state of a log to the next.
#[expect(
    clippy::too_many_arguments,
    reason = "one call per phase; a struct would only rename them"
)]
pub(super) fn replace(
    connection: &mut AnyConnection,
    setup: &Setup,
    call: &Call,
    phase: Phase,
    before: &ActionLog,
    after: ActionLog,
    actioner: Option<Arc<User>>,
    common: &Common,
) -> Result<Change, Refusal> {
    let mut history = HistoryItem::of_log(connection, before.id)?;
    history.push(HistoryItem {
        action_log_id: before.id,
        position: i32::try_from(history.len()).unwrap_or(i32::MAX),
        actioner_user_id: before.actioner_user_id,
        comment: before.comment.clone(),
        create_instant: before.last_update_instant,
        expiry: before.expiry,
    });
    PhaseInput {
        phase,
        step: Step::Replace {
            seen_revision: before.revision,
            remembered: true,
        },
        who: who(connection, before, actioner)?,
        log: after,
        history,
        email_user: common.email_user,
        notify_user: common.notify_user,
        broadcast: call.broadcast,
        now: call.now,
        info: call.info.clone(),
    }
    .build(&mut Reader::new(connection), setup)
}

/// The people and the definition of a log. They exist as long as the log does; if they
/// are gone, so is the log, a moment ago.
pub(super) fn who(
    connection: &mut AnyConnection,
    log: &ActionLog,
    actioner: Option<Arc<User>>,
) -> Result<Who, Refusal> {
    let mut reader = Reader::new(connection);
    let definition = reader.definition(log.user_action_id)?;
    Ok(Who {
        actionee: reader
            .user(log.actionee_user_id)?
            .ok_or(Refusal::NotFound)?,
        definition: definition.ok_or(Refusal::NotFound)?,
        actioner,
    })
}
