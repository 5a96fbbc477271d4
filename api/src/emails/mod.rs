//! Emails that somebody asks for: `/api/email/send`.

mod description;
mod input;
mod render;
mod send;
#[cfg(test)]
mod tests;

use crate::description::Section;
use crate::extract::{Access, Endpoint};

const ENDPOINT: Endpoint = Endpoint {
    path: "/api/email/send",
    access: Access::OfTenant,
    id: "emailTemplateId",
};

pub(crate) fn routes() -> Section {
    Section::new("Emails", "Emails that somebody asks for.")
        .with(ENDPOINT.routes().post(send::send_email, description::SEND))
}
