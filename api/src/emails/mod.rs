//! Emails that somebody asks for: `/api/email/send`.

mod input;
mod render;
mod send;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const ENDPOINT: Endpoint = Endpoint {
    path: "/api/email/send",
    access: Access::OfTenant,
    id: "emailTemplateId",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(ENDPOINT.resource().route(web::post().to(send::send_email)));
}
