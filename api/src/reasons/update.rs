//! `PUT` and `PATCH /api/user-action-reason/{userActionReasonId}`

use beadle_common::id::ReasonId;
use beadle_common::model::reason::Reason;
use serde_json::json;

use super::{WRAPPER, input, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn update_reason(mut call: Call) -> Answer {
    let id: ReasonId = call.required_id()?;
    let body = call.body().await;
    let now = call.now();
    let reason = call
        .update(
            body,
            move |connection| Reason::find_for_update(connection, id)?.ok_or(ApiError::NotFound),
            |stored| Ok(json!({WRAPPER: view::reason(stored)})),
            move |connection, stored, members| {
                let mut reason = read_wrapped(members, WRAPPER, |object| {
                    input::read_reason(connection, object, id, now)
                })?;
                reason.insert_instant = stored.insert_instant;
                reason.update(connection)?;
                Ok(reason)
            },
        )
        .await?;
    Ok(answer::wrapped(WRAPPER, view::reason(&reason)))
}
