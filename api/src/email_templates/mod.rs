//! Email templates: `/api/email/template`.

mod create;
mod delete;
mod input;
mod preview;
mod retrieve;
mod search;
mod texts;
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

const SEARCH: Endpoint = Endpoint {
    path: "/api/email/template/search",
    access: Access::SharedReading,
    id: "",
};

const PREVIEW: Endpoint = Endpoint {
    path: "/api/email/template/preview",
    access: Access::SharedReading,
    id: "",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        PREVIEW
            .resource()
            .route(web::post().to(preview::preview_email_template)),
    );
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_email_templates))
            .route(web::post().to(search::search_email_templates)),
    );
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
