//! `DELETE /api/user-action/{userActionId}[?hardDelete=true]`

use beadle_common::id::UserActionId;
use beadle_common::model::user_action::UserAction;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

/// Deactivates, which keeps the logs and lets them run to their end; or removes the
/// definition with every log of it.
pub(super) async fn delete_user_action(call: Call) -> Answer {
    let id: UserActionId = call.required_id()?;
    let hard = call.query().flag("hardDelete")?.unwrap_or(false);
    let now = call.now();
    let found = call
        .state()
        .write(move |connection| {
            if hard {
                return Ok(UserAction::delete(connection, id)?);
            }
            let Some(mut definition) = UserAction::find_for_update(connection, id)? else {
                return Ok(false);
            };
            if definition.active {
                definition.active = false;
                definition.last_update_instant = now;
                definition.update(connection)?;
            }
            Ok(true)
        })
        .await?;
    if found {
        Ok(answer::empty())
    } else {
        Err(ApiError::NotFound)
    }
}
