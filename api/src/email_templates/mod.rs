//! Email templates: `/api/email/template`.

mod create;
mod delete;
mod input;
mod retrieve;
mod update;
mod view;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "emailTemplate";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/email/template",
    access: Access::Shared,
    id: "emailTemplateId",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_email_template))
            .route(web::get().to(retrieve::retrieve_email_templates))
            .route(web::put().to(update::update_email_template))
            .route(web::patch().to(update::update_email_template))
            .route(web::delete().to(delete::delete_email_template)),
    );
}
