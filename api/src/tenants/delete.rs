//! `DELETE /api/tenant/{tenantId}[?async=true]`

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use beadle_common::erasure::erase_tenant;
use beadle_common::id::TenantId;
use beadle_common::model::tenant::Tenant;

use super::ENDPOINT;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Errors;
use crate::errors::Prefix;
use crate::extract::Call;

/// Erases the tenant with its users and all that was written about them. From the first
/// transaction on it does not exist for anybody; the rest follows in small ones, which the
/// answer waits for unless that is not wanted.
pub(super) async fn delete_tenant(call: Call) -> Answer {
    let id: TenantId = call.required_id()?;
    let later = call.query().flag("async")?.unwrap_or(false);
    let (state, now) = (call.state(), call.now());
    let erasure = state
        .write(move |connection| {
            let tenant = Tenant::find_for_delete(connection, id)?.ok_or(ApiError::NotFound)?;
            if tenant.is_default {
                let mut errors = Errors::default();
                let message = "the default tenant cannot be deleted".to_owned();
                errors.add(Prefix::Invalid, ENDPOINT.id, message);
                return Err(errors.into());
            }
            Ok(erase_tenant(connection, id, now)?)
        })
        .await?;
    let erasing = state.erasing(erasure, now);
    match !later && erasing.await {
        true => Ok(answer::empty()),
        false => Ok(HttpResponse::new(StatusCode::ACCEPTED)),
    }
}
