//! Login: `POST /api/login`. What actions that prevent it are there for.

mod description;
mod verdict;

#[cfg(test)]
mod lockout_tests;
#[cfg(test)]
mod tests;

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use beadle_common::id::{ApplicationId, TenantId};
use beadle_common::instant::Instant;
use beadle_common::model::application::Application;
use serde_json::{Map, Value};

use crate::actions::read_info;
use crate::answer::Answer;
use crate::applications::tenant_by;
use crate::description::Section;
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::{Access, Endpoint, Origin, identify};
use crate::input::{Incoming, Object, read_body};
use crate::state::State;

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/login",
    access: Access::OfTenant,
    id: "",
};

pub(crate) fn routes() -> Section {
    Section::new("Login", "Where actions that prevent it are felt.")
        .with(ENDPOINT.routes().post(login, description::LOGIN))
}

/// Who wants to log in where.
struct Credentials {
    login_id: String,
    password: String,
    application: Option<ApplicationId>,
    /// `event.info` of what a wrong password may lead to.
    info: Map<String, Value>,
}

async fn login(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let now = (state.clock)();
    let members = {
        let limit = state.settings.body_limit;
        let mut incoming = Incoming::new(&request, payload.into_inner(), limit);
        let body = read_body(&request, &mut incoming).await;
        body.and_then(|body| body.into_members())
    };
    let scope = scope(&request, &state, members.as_ref().ok(), now).await?;
    let origin = Origin::of(&request, &state.settings.trusted_proxies);
    let credentials = read_credentials(&members?, &origin)?;
    let application = credentials.application;
    let tenant = state
        .read(move |connection| tenant_by(connection, scope, application))
        .await?;
    verdict::judge(&state, tenant, credentials, now).await
}

/// The tenant to look in: the caller's, or, if there is no valid key, that of an
/// application which asks for none.
async fn scope(
    request: &HttpRequest,
    state: &Data<State>,
    members: Option<&Map<String, Value>>,
    now: Instant,
) -> Result<Option<TenantId>, ApiError> {
    let refused = match identify(request, state, ENDPOINT, now).await {
        Ok((_, scope)) => return Ok(scope),
        Err(ApiError::Unauthorized) => ApiError::Unauthorized,
        Err(error) => return Err(error),
    };
    let id = members.and_then(|members| {
        members
            .get("applicationId")?
            .as_str()?
            .parse::<ApplicationId>()
            .ok()
    });
    let Some(id) = id else {
        return Err(refused);
    };
    let application = state
        .read(move |connection| Ok(Application::find(connection, id)?))
        .await?;
    match application {
        Some(application) if application.active && is_open(&application) => {
            Ok(Some(application.tenant_id))
        }
        _ => Err(refused),
    }
}

/// Whether an application lets its users log in without an API key.
fn is_open(application: &Application) -> bool {
    let required = application
        .settings
        .0
        .get("loginConfiguration")
        .and_then(|login| login.get("requireAuthentication"))
        .and_then(Value::as_bool);
    required == Some(false)
}

fn read_credentials(
    members: &Map<String, Value>,
    origin: &Origin,
) -> Result<Credentials, ApiError> {
    let errors = Collector::new();
    let body = Object::root(members, &errors);
    let login_id = body.text("loginId");
    if login_id.is_none() && errors.accepts("loginId") {
        errors.refuse(Prefix::Blank, "loginId");
    }
    // As it was typed: blanks are part of a password.
    let password = body
        .value("password")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if password.is_empty() {
        errors.refuse(Prefix::Blank, "password");
    }
    let application = body.id("applicationId");
    let mut info = read_info(&body, origin);
    if let Some(address) = body.text("ipAddress") {
        info.entry("ipAddress").or_insert(Value::String(address));
    }
    errors.finish()?;
    Ok(Credentials {
        login_id: login_id.unwrap_or_default(),
        password,
        application,
        info,
    })
}
