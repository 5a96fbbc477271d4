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
use beadle_common::model::application::Application;
use serde_json::{Map, Value};

use crate::action_logs::read_info;
use crate::answer::Answer;
use crate::applications::tenant_by;
use crate::description::Section;
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::{Access, Endpoint, Origin, identify};
use crate::hashing::Asker;
use crate::input::{Body, Incoming, Object, parse_id, read_body};
use crate::state::State;

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/login",
    access: Access::OfTenant,
    id: "",
};

pub(crate) fn routes() -> Section {
    Section::new("Login", "Where actions that prevent it are felt.").with(
        ENDPOINT
            .routes()
            .repeatable()
            .key_is_optional()
            .post(login, description::LOGIN),
    )
}

/// More than any login has, in bytes. Nobody knows yet who it is that sends them.
const LARGEST: usize = 8 << 10;

/// Who wants to log in where.
struct Credentials {
    login_id: String,
    password: String,
    application: Option<ApplicationId>,
    /// `event.info` of what a wrong password may lead to.
    info: Map<String, Value>,
    /// Who asks for it.
    asker: Asker,
}

async fn login(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let now = (state.clock)();
    // The key comes first, but a stranger names an application that may ask for none.
    let by_key = match identify(&request, &state, ENDPOINT, now).await {
        Ok((_, scope)) => Some(scope),
        Err(ApiError::Unauthorized) => None,
        Err(error) => return Err(error),
    };
    let limit = LARGEST.min(state.settings.body_limit);
    let mut incoming = Incoming::new(&request, payload.into_inner(), limit);
    let members = read_body(&request, &mut incoming).await;
    let members = members.and_then(Body::into_members);
    let (scope, asker) = match by_key {
        Some(scope) => (scope, Asker::Keyed),
        None => {
            let tenant = open_tenant(&state, members.as_ref().ok()).await?;
            (Some(tenant), Asker::Stranger)
        }
    };
    let origin = Origin::of(&request, &state.settings.trusted_proxies);
    let credentials = read_credentials(&members?, &origin, asker)?;
    let application = credentials.application;
    let tenant = state
        .read(move |connection| tenant_by(connection, scope, application))
        .await?;
    verdict::judge(&state, tenant, credentials, now).await
}

/// The tenant of the application that is named, if that asks for no key.
async fn open_tenant(
    state: &Data<State>,
    members: Option<&Map<String, Value>>,
) -> Result<TenantId, ApiError> {
    let named = members.and_then(|members| members.get("applicationId")?.as_str());
    let id: ApplicationId = named
        .and_then(|id| parse_id(id.trim()))
        .ok_or(ApiError::Unauthorized)?;
    let application = state
        .read(move |connection| Ok(Application::find(connection, id)?))
        .await?;
    application
        .filter(|application| application.active && is_open(application))
        .map(|application| application.tenant_id)
        .ok_or(ApiError::Unauthorized)
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
    asker: Asker,
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
        asker,
    })
}
