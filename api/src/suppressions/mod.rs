//! Addresses that a mail server has refused for good: `/api/email/suppression`.

mod delete;
mod description;
mod retrieve;
#[cfg(test)]
mod tests;

use actix_web::FromRequest as _;
use actix_web::web::Path;
use beadle_common::model::suppression::Suppression;
use beadle_common::view::{Absent, Members, View};

use crate::description::{Kind, Section};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Access, Call, Endpoint};

const ENDPOINT: Endpoint = Endpoint {
    path: "/api/email/suppression",
    access: Access::OfTenant,
    id: "address",
};

pub(crate) fn routes() -> Section {
    Section::new(
        "Suppressed addresses",
        "Those that a mail server has refused for good.",
    )
    .with(
        ENDPOINT
            .routes()
            .path_kind(ENDPOINT.id, Kind::Email)
            .get(retrieve::retrieve_suppressions, description::RETRIEVE)
            .delete(delete::delete_suppression, description::DELETE),
    )
}

/// The address in the path, if there is one.
async fn address(call: &Call) -> Result<Option<String>, ApiError> {
    if matches!(
        call.request().match_info().get(ENDPOINT.id),
        None | Some("")
    ) {
        return Ok(None);
    }
    let address = Path::<String>::extract(call.request()).await;
    let address = address.map_err(|_| ApiError::NotFound)?.into_inner();
    // PostgreSQL takes no zero bytes, and no address has one.
    if !address.contains('@') || address.contains('\0') {
        return Err(ApiError::field(Prefix::CouldNotConvert, ENDPOINT.id));
    }
    Ok(Some(address))
}

fn view(suppression: &Suppression) -> View {
    Members::new(Absent::Omit)
        .with("address", &suppression.address)
        .with("deliveryId", suppression.delivery_id)
        .with("expirationInstant", suppression.expiration_instant)
        .with("insertInstant", suppression.insert_instant)
        .with("reason", &suppression.reason)
        .maybe("statusCode", suppression.status_code)
        .with("tenantId", suppression.tenant_id)
        .done()
}
