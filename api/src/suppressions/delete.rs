//! `DELETE /api/email/suppression/{address}`

use actix_web::FromRequest as _;
use actix_web::web::Path;
use beadle_common::model::suppression::Suppression;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

/// Lets mail go to the address again: in the tenant of the call, or in all.
pub(super) async fn delete_suppression(call: Call) -> Answer {
    let address = Path::<String>::extract(call.request())
        .await
        .map_err(|_| ApiError::NotFound)?
        .into_inner();
    let (scope, now) = (call.scope(), call.now());
    call.state()
        .write(move |connection| {
            let lifted = Suppression::lift(connection, scope, &address, now)?;
            lifted.then_some(()).ok_or(ApiError::NotFound)
        })
        .await?;
    Ok(answer::empty())
}
