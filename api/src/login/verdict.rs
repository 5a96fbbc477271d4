//! Whether somebody may log in, and what stands in the way.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use beadle_common::db::AnyConnection;
use beadle_common::id::{ApplicationId, TenantId, UserId};
use beadle_common::instant::Instant;
use beadle_common::model::action_log::{ActionLog, Filter};
use beadle_common::model::application::Application;
use beadle_common::model::user::User;
use beadle_common::view::{self, Absent, Members};
use serde_json::{Value, json};

use super::Credentials;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::hashing;
use crate::state::State;

/// The order of the checks is part of the contract: a deactivated user is told so even
/// with a wrong password.
pub(super) async fn judge(
    state: &Data<State>,
    tenant: TenantId,
    credentials: Credentials,
    now: Instant,
) -> Answer {
    let Credentials {
        login_id,
        password,
        application,
    } = credentials;
    let user = state
        .read(move |connection| find_user(connection, tenant, &login_id, application))
        .await?;
    if user.as_ref().is_some_and(|user| !user.active) {
        return Ok(HttpResponse::new(StatusCode::LOCKED));
    }
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = hashing::verify(password, hash).await?;
    let Some(user) = user.filter(|_| right) else {
        return Err(ApiError::NotFound);
    };
    if user.expiry.is_some_and(|expiry| expiry <= now) {
        return Ok(HttpResponse::new(StatusCode::GONE));
    }
    let id = user.id;
    let in_the_way = state
        .read(move |connection| preventing(connection, id, application, now))
        .await?;
    if !in_the_way.is_empty() {
        let actions: Value = in_the_way.iter().map(preventing_view).collect();
        let body = json!({ "actions": actions });
        return Ok(answer::with_json(&mut HttpResponse::Conflict(), &body));
    }
    let body = json!({"user": view::user(&user, Absent::Omit)});
    // There are no registrations, so whoever names an application is not registered for it.
    Ok(match application {
        Some(_) => answer::with_json(&mut HttpResponse::Accepted(), &body),
        None => answer::json(&body),
    })
}

/// By email or username. An application has to be one of the tenant's.
fn find_user(
    connection: &mut AnyConnection,
    tenant: TenantId,
    login_id: &str,
    application: Option<ApplicationId>,
) -> Result<Option<User>, ApiError> {
    if let Some(id) = application
        && Application::existing_in(connection, tenant, &[id])?.is_empty()
    {
        return Err(ApiError::field(Prefix::Invalid, "applicationId"));
    }
    if let Some(user) = User::find_by_email(connection, tenant, login_id)? {
        return Ok(Some(user));
    }
    Ok(User::find_by_username(connection, tenant, login_id)?)
}

/// The active actions that keep the user out: all of them, or, where an application is
/// named, those that are limited to nothing or to it.
fn preventing(
    connection: &mut AnyConnection,
    user: UserId,
    application: Option<ApplicationId>,
    now: Instant,
) -> Result<Vec<ActionLog>, ApiError> {
    let mut logs = ActionLog::of_user(connection, user, Filter::PreventingLogin, now)?;
    logs.retain(|log| {
        let limits = &log.application_ids.0;
        application.is_none_or(|application| limits.is_empty() || limits.contains(&application))
    });
    Ok(logs)
}

/// What the user may be told. `actionId` is the definition's: official clients read it so.
fn preventing_view(log: &ActionLog) -> Value {
    Members::new(Absent::Omit)
        .with("actionId", log.user_action_id)
        .maybe("actionerUserId", log.actioner_user_id)
        .maybe("expiry", log.expiry)
        .with("localizedName", &log.localized_name)
        .maybe("localizedOption", log.localized_option.as_ref())
        .maybe("localizedReason", log.localized_reason.as_ref())
        .with("name", &log.name)
        .maybe("option", log.option.as_ref())
        .maybe("reason", log.reason.as_ref())
        .maybe("reasonCode", log.reason_code.as_ref())
        .done()
}
