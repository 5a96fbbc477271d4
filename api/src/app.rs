//! The routes, and what surrounds all of them.

use std::sync::LazyLock;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::X_CONTENT_TYPE_OPTIONS;
use actix_web::middleware::{DefaultHeaders, NormalizePath, from_fn};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, Error};

use crate::action_logs::ActionBatcher;
use crate::description::{Description, Section};
use crate::middleware::{close_unread, measure, refuse_unknown_methods};
use crate::state::State;
use crate::{
    action_logs, api_keys, applications, audit_logs, deliveries, description, email_templates,
    emails, event_logs, health, login, metrics, reasons, registrations, signing_keys, suppressions,
    tenants, user_actions, users, webhook_logs, webhooks,
};

/// The application over a shared state: build it once per server thread.
pub fn app(
    state: Data<State>,
    batcher: Data<ActionBatcher>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(state)
        .app_data(batcher)
        .app_data(description())
        .configure(routes)
        // A client with an empty Id ends its path with a slash.
        .wrap(NormalizePath::trim())
        .wrap(from_fn(refuse_unknown_methods))
        // What clients have stored is shown as it came: no browser may take it for a page.
        .wrap(DefaultHeaders::new().add((X_CONTENT_TYPE_OPTIONS, "nosniff")))
        .wrap(from_fn(close_unread))
        .wrap(from_fn(measure))
}

/// What the API says of itself: made of the routes that it has.
#[must_use]
pub fn description() -> Data<Description> {
    static DESCRIPTION: LazyLock<Data<Description>> =
        LazyLock::new(|| Data::new(Description::of(sections)));
    DESCRIPTION.clone()
}

/// Tells the server of every route.
pub fn routes(config: &mut ServiceConfig) {
    for section in sections() {
        section.register(config);
    }
}

/// Every route, with what the description says of it. Paths that begin alike stand with the
/// longer one first.
pub(crate) fn sections() -> Vec<Section> {
    vec![
        action_logs::routes(),
        user_actions::routes(),
        reasons::routes(),
        email_templates::routes(),
        emails::routes(),
        suppressions::routes(),
        tenants::routes(),
        registrations::routes(),
        users::routes(),
        webhooks::routes(),
        api_keys::routes(),
        applications::routes(),
        login::routes(),
        signing_keys::routes(),
        event_logs::routes(),
        audit_logs::routes(),
        webhook_logs::routes(),
        deliveries::routes(),
        health::routes(),
        metrics::routes(),
        description::routes(),
    ]
}
