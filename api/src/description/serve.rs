//! The description, for whoever asks for it: no key is needed.

use std::fmt;
use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use actix_web::web::Data;
use serde_json::Value;

use super::event;
use super::openapi::document;
use super::operation::{Answer, Content, Operation};
use super::page::Page;
use super::routes::{Routes, Section};
use crate::answer::json;

const OPENAPI: &[Operation] = &[Operation::new(
    "retrieveDescription",
    "This description, as an OpenAPI document",
    &[Answer::new(
        200,
        "The document.",
        Content::Other("application/json"),
    )],
)];

const DOCS: &[Operation] = &[Operation::new(
    "readDescription",
    "This description, as a page to read",
    &[Answer::new(200, "The page.", Content::Other("text/html"))],
)];

const EVENT_SCHEMA: &[Operation] = &[Operation::new(
    "retrieveEventSchema",
    "JSON Schema of what webhooks get",
    &[Answer::new(
        200,
        "The schema, of the draft 2020-12.",
        Content::Other("application/json"),
    )],
)];

/// Paths of the description itself.
pub(crate) fn routes() -> Section {
    Section::new("Description", "What the API says of itself. For anybody.")
        .with(Routes::open("/openapi.json").get(openapi, OPENAPI))
        .with(Routes::open("/docs").get(docs, DOCS))
        .with(Routes::open("/schemas/user.action.json").get(event_schema, EVENT_SCHEMA))
}

/// What the API says of itself. It never changes while the server runs, and is made when it is
/// first asked for: it takes megabytes that most servers never need.
pub struct Description {
    sections: fn() -> Vec<Section>,
    document: OnceLock<Value>,
    page: OnceLock<Page>,
}

impl Description {
    pub(crate) const fn of(sections: fn() -> Vec<Section>) -> Self {
        Self {
            sections,
            document: OnceLock::new(),
            page: OnceLock::new(),
        }
    }

    /// The OpenAPI document of this version.
    pub fn document(&self) -> &Value {
        self.document.get_or_init(|| document(&(self.sections)()))
    }

    fn page(&self) -> &Page {
        self.page.get_or_init(|| Page::of(self.document()))
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Description").finish_non_exhaustive()
    }
}

async fn openapi(description: Data<Description>) -> HttpResponse {
    json(description.document())
}

async fn event_schema() -> HttpResponse {
    json(&event::schema())
}

async fn docs(description: Data<Description>) -> HttpResponse {
    let page = description.page();
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html;charset=UTF-8"))
        .insert_header((CONTENT_SECURITY_POLICY, page.policy.as_str()))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(page.html.clone())
}
