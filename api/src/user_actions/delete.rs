//! `DELETE /api/user-action/{userActionId}[?hardDelete=true]`

use beadle_common::db::Db;
use beadle_common::id::UserActionId;
use beadle_common::model::user_action::UserAction;
use beadle_common::outbox::forget_logs;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

/// Deactivates, which keeps the logs and lets them run to their end; or removes the
/// definition with every log of it.
pub(super) async fn delete_user_action(call: Call) -> Answer {
    let id: UserActionId = call.required_id()?;
    let hard = call.query().flag("hardDelete")?.unwrap_or(false);
    let (state, now) = (call.state(), call.now());
    state
        .write(move |connection| {
            let found = UserAction::find_for_update(connection, id)?;
            let mut definition = found.ok_or(ApiError::NotFound)?;
            if definition.active {
                definition.active = false;
                definition.last_update_instant = now;
                definition.update(connection)?;
            }
            Ok(())
        })
        .await?;
    if hard {
        let background = state.background.clone();
        background.finish(remove(state.db.clone(), id)).await?;
    }
    Ok(answer::empty())
}

/// The logs may be many, so they go in short transactions. What a cut leaves is of a
/// definition that is inactive; the same request again does the rest.
async fn remove(db: Db, id: UserActionId) -> Result<(), ApiError> {
    while db
        .write(move |connection| Ok::<_, ApiError>(forget_logs(connection, id)?))
        .await?
        > 0
    {}
    db.write(move |connection| {
        UserAction::delete(connection, id)?;
        Ok::<_, ApiError>(())
    })
    .await
}
