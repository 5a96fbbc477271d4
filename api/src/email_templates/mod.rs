//! Email templates: `/api/email/template`.

mod create;
mod delete;
mod description;
mod input;
mod preview;
mod retrieve;
mod search;
mod texts;
mod update;
mod view;

#[cfg(test)]
mod tests;

use crate::description::Section;
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

pub(crate) fn routes() -> Section {
    Section::new("Email templates", "The texts of emails, by language.")
        .with(PREVIEW.routes().repeatable().post(
            preview::preview_email_template,
            description::PREVIEW_TEMPLATE,
        ))
        .with(
            SEARCH
                .routes()
                .get(search::search_email_templates, description::SEARCH)
                .post(search::search_email_templates, description::SEARCH),
        )
        .with(
            ENDPOINT
                .routes()
                .post(create::create_email_template, description::CREATE)
                .get(retrieve::retrieve_email_templates, description::RETRIEVE)
                .put(update::update_email_template, description::UPDATE)
                .patch(update::update_email_template, description::PATCH)
                .delete(delete::delete_email_template, description::DELETE),
        )
}
