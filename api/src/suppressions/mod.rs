//! Addresses that a mail server has refused for good: `/api/email/suppression`.

mod delete;
mod retrieve;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};
use beadle_common::model::suppression::Suppression;
use beadle_common::view::{Absent, Members};
use serde_json::Value;

use crate::extract::{Access, Endpoint};

const ENDPOINT: Endpoint = Endpoint {
    path: "/api/email/suppression",
    access: Access::OfTenant,
    id: "address",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        ENDPOINT
            .nested(ENDPOINT.path)
            .route(web::get().to(retrieve::retrieve_suppressions)),
    );
    config.service(
        ENDPOINT
            .nested("/api/email/suppression/{address}")
            .route(web::delete().to(delete::delete_suppression)),
    );
}

fn view(suppression: &Suppression) -> Value {
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
