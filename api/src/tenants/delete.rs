//! `DELETE /api/tenant/{tenantId}[?async=true]`

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use beadle_common::id::TenantId;
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::model::tenant::Tenant;

use super::ENDPOINT;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Errors;
use crate::errors::Prefix;
use crate::extract::Call;

/// Removes the tenant with its users and their logs. Asked to do it later, it is done at
/// once all the same, and only the status says what was asked for.
pub(super) async fn delete_tenant(call: Call) -> Answer {
    let id: TenantId = call.required_id()?;
    let later = call.query().flag("async")?.unwrap_or(false);
    call.state()
        .write(move |connection| {
            let tenant = Tenant::find_for_delete(connection, id)?.ok_or(ApiError::NotFound)?;
            if tenant.is_default {
                let mut errors = Errors::default();
                let message = "the default tenant cannot be deleted".to_owned();
                errors.add(Prefix::Invalid, ENDPOINT.id, message);
                return Err(errors.into());
            }
            SigningKeyRow::delete_of(connection, id)?;
            Tenant::delete(connection, id)?;
            Ok(())
        })
        .await?;
    match later {
        true => Ok(HttpResponse::new(StatusCode::ACCEPTED)),
        false => Ok(answer::empty()),
    }
}
