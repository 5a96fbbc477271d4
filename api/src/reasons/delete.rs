//! `DELETE /api/user-action-reason/{userActionReasonId}`. Never blocked: logs have copies.

use beadle_common::id::ReasonId;
use beadle_common::model::reason::Reason;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn delete_reason(call: Call) -> Answer {
    let id: ReasonId = call.required_id()?;
    let deleted = call
        .state()
        .write(move |connection| Ok(Reason::delete(connection, id)?))
        .await?;
    if deleted {
        Ok(answer::empty())
    } else {
        Err(ApiError::NotFound)
    }
}
