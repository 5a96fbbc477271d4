//! `GET /api/user-action[/{userActionId}][?inactive=true]`

use beadle_common::model::user_action::UserAction;
use beadle_common::view::{self, Absent};
use serde_json::Value;

use super::WRAPPER;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_user_actions(call: Call) -> Answer {
    let Some(id) = call.id()? else {
        return list(call).await;
    };
    let definition = call
        .state()
        .read(move |connection| Ok(UserAction::find(connection, id)?))
        .await?;
    let definition: UserAction = definition.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(
        WRAPPER,
        view::user_action(&definition, Absent::Omit),
    ))
}

/// All definitions by name, or only the inactive ones.
async fn list(call: Call) -> Answer {
    let inactive_only = call.query().flag("inactive")?.unwrap_or(false);
    let mut definitions: Vec<UserAction> = call
        .state()
        .read(|connection| Ok(UserAction::all(connection)?))
        .await?;
    definitions.retain(|definition| !(inactive_only && definition.active));
    definitions.sort_by(|a, b| (&a.name_key, a.id).cmp(&(&b.name_key, b.id)));
    let list: Value = definitions
        .iter()
        .map(|definition| view::user_action(definition, Absent::Omit))
        .collect();
    Ok(answer::wrapped("userActions", list))
}
