//! Phase cancel: an active log is taken back. Nothing follows it, no end either.

use super::modify::{check_active, find_log, next_revision, replace};
use super::phase::Change;
use super::reader::Reader;
use super::refusal::{Refusal, Violations};
use super::{Call, Common, Setup, take};
use crate::db::AnyConnection;
use crate::id::ActionLogId;
use crate::model::action_log::ActionLog;
use crate::model::user_action::Phase;
use crate::unix_millis::UnixMillis;

/// What a client asks for.
#[derive(Debug, Clone, Default)]
pub struct CancelRequest {
    /// Shared with the other phases.
    pub common: Common,
}

/// Validates the request and builds everything that the cancellation writes.
///
/// # Errors
/// [`Refusal`]; nothing has been written then, nor if all went well.
pub fn prepare_cancel(
    connection: &mut AnyConnection,
    setup: &Setup,
    call: &Call,
    id: ActionLogId,
    request: &CancelRequest,
) -> Result<Change, Refusal> {
    let log = find_log(connection, call, id)?;
    let mut broken = Violations::default();
    let actioner = take::actioner(
        &mut Reader::new(connection),
        call,
        &request.common,
        &mut broken,
    )?;
    check_active(&log, call.now, &mut broken);
    let actioner = broken.or(actioner)?;
    let canceled = ActionLog {
        actioner_user_id: Some(actioner.id),
        comment: request.common.comment.clone().or(log.comment.clone()),
        ..canceled(&log, call.now)
    };
    replace(
        connection,
        setup,
        call,
        Phase::Cancel,
        &log,
        canceled,
        Some(actioner),
        &request.common,
    )
}

/// The log, taken back at `now`.
pub(super) fn canceled(log: &ActionLog, now: UnixMillis) -> ActionLog {
    ActionLog {
        // Clients tell from the expiry alone whether an action is active.
        expiry: Some(now),
        end_due: None,
        canceled: true,
        ..next_revision(log, now)
    }
}
