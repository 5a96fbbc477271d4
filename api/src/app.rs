//! The routes, and what surrounds all of them.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::X_CONTENT_TYPE_OPTIONS;
use actix_web::middleware::{DefaultHeaders, Next, NormalizePath, from_fn};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, Error, HttpResponse};

use crate::description::Section;
use crate::state::State;
use crate::unread::close_unread;
use crate::{
    actions, api_keys, applications, audit_logs, deliveries, description, email_templates, emails,
    event_logs, health, login, metrics, reasons, registrations, signing_keys, suppressions,
    tenants, user_actions, users, webhook_logs, webhooks,
};

/// The application over a shared state: build it once per server thread.
pub fn app(
    state: Data<State>,
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
        .configure(routes)
        // A client with an empty Id ends its path with a slash.
        .wrap(NormalizePath::trim())
        .wrap(from_fn(refuse_unknown_methods))
        // What clients have stored is shown as it came: no browser may take it for a page.
        .wrap(DefaultHeaders::new().add((X_CONTENT_TYPE_OPTIONS, "nosniff")))
        .wrap(from_fn(close_unread))
        .wrap(from_fn(metrics::measure))
}

/// Tells the server of every route.
pub fn routes(config: &mut ServiceConfig) {
    for section in sections() {
        section.register(config);
    }
}

/// Every route, with what the description says of it. Paths that begin alike stand with the
/// longer one first.
pub(crate) fn sections() -> [Section; 21] {
    [
        actions::routes(),
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

/// The methods that HTTP knows.
pub(crate) const KNOWN_METHODS: [Method; 9] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
    Method::CONNECT,
    Method::TRACE,
];

/// `501` for methods that HTTP does not know. Known ones without a route are 405.
async fn refuse_unknown_methods(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if KNOWN_METHODS.contains(request.method()) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let response = HttpResponse::NotImplemented().finish();
    Ok(request.into_response(response).map_into_right_body())
}
