//! `GET /api/user-action-reason[/{userActionReasonId}]`

use beadle_common::id::ReasonId;
use beadle_common::model::reason::Reason;
use serde_json::Value;

use super::{WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_reasons(call: Call) -> Answer {
    let id: Option<ReasonId> = call.id()?;
    let Some(id) = id else {
        let mut reasons = call
            .state()
            .read(|connection| Ok(Reason::all(connection)?))
            .await?;
        reasons.sort_by(|a, b| (&a.text_key, a.id).cmp(&(&b.text_key, b.id)));
        let list: Value = reasons.iter().map(view::reason).collect();
        return Ok(answer::wrapped("userActionReasons", list));
    };
    let reason = call
        .state()
        .read(move |connection| Ok(Reason::find(connection, id)?))
        .await?;
    let reason = reason.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(WRAPPER, view::reason(&reason)))
}
