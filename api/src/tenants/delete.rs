//! `DELETE /api/tenant/{tenantId}[?async=true]`

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use beadle_common::id::TenantId;
use beadle_common::resources::tenants::delete_tenant;

use crate::answer::{self, Answer};
use crate::extract::Call;

/// Erases the tenant with its users and all that was written about them. From the first
/// transaction on it does not exist for anybody; the rest follows in small ones, which the
/// answer waits for unless that is not wanted.
pub(super) async fn delete(call: Call) -> Answer {
    let id: TenantId = call.required_id()?;
    let later = call.query().flag("async")?.unwrap_or(false);
    let (state, now, context) = (call.state(), call.now(), call.context());
    let erasure = state
        .write(move |connection| Ok(delete_tenant(connection, &context, id)?))
        .await?;
    let erasing = state.erasing(erasure, now);
    match !later && erasing.await {
        true => Ok(answer::empty()),
        false => Ok(HttpResponse::new(StatusCode::ACCEPTED)),
    }
}
