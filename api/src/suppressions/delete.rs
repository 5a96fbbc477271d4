//! `DELETE /api/email/suppression/{address}`

use beadle_common::model::suppression::Suppression;

use super::{ENDPOINT, address};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;

/// Lets mail go to the address again: in the tenant of the call, or in all.
pub(super) async fn delete_suppression(call: Call) -> Answer {
    let address = address(&call).await?;
    let address = address.ok_or_else(|| ApiError::field(Prefix::Missing, ENDPOINT.id))?;
    let (scope, now) = (call.scope(), call.now());
    call.state()
        .write(move |connection| {
            let lifted = Suppression::lift(connection, scope, &address, now)?;
            lifted.then_some(()).ok_or(ApiError::NotFound)
        })
        .await?;
    Ok(answer::empty())
}
