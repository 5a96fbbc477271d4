//! `PUT` and `PATCH /api/user-action/{userActionId}`, and `PUT` with `reactivate=true`.

use beadle_common::id::UserActionId;
use beadle_common::model::user_action::UserAction;
use beadle_common::view::{self, Absent};
use serde_json::json;

use super::{OWN, WRAPPER, input};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn update_user_action(mut call: Call) -> Answer {
    let id: UserActionId = call.required_id()?;
    if call.asks_to_reactivate()? {
        return reactivate(&call, id).await;
    }
    let body = call.body().await.map(|body| body.keeping(&OWN));
    let now = call.now();
    let definition = call
        .update(
            body,
            move |connection| {
                UserAction::find_for_update(connection, id)?.ok_or(ApiError::NotFound)
            },
            |stored| Ok(json!({WRAPPER: view::user_action(stored, Absent::Omit)})),
            move |connection, stored, members| {
                let read = read_wrapped(members, WRAPPER, |object| {
                    input::read_user_action(connection, object, id, now)
                })?;
                let definition = UserAction {
                    active: stored.active,
                    insert_instant: stored.insert_instant,
                    ..read
                };
                definition.update(connection)?;
                Ok(definition)
            },
        )
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::user_action(&definition, Absent::Omit),
    ))
}

async fn reactivate(call: &Call, id: UserActionId) -> Answer {
    let now = call.now();
    let definition = call
        .state()
        .write(move |connection| {
            let mut definition =
                UserAction::find_for_update(connection, id)?.ok_or(ApiError::NotFound)?;
            if !definition.active {
                definition.active = true;
                definition.last_update_instant = now;
                definition.update(connection)?;
            }
            Ok(definition)
        })
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::user_action(&definition, Absent::Omit),
    ))
}
