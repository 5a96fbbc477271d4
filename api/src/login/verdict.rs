//! Whether somebody may log in, and what stands in the way.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use beadle_common::db::AnyConnection;
use beadle_common::id::{ApplicationId, TenantId, UserId};
use beadle_common::model::action_log::{ActionLog, Filter};
use beadle_common::model::application::Application;
use beadle_common::model::failed_login::FailedLogins;
use beadle_common::model::registration::Registration;
use beadle_common::model::user::User;
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{Absent, Members, View};

use super::Credentials;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::lockout::record_failed_login;
use crate::state::State;
use crate::users;

/// The order of the checks is part of the contract: a deactivated user is told so even
/// with a wrong password.
pub(super) async fn judge(
    state: &Data<State>,
    tenant: TenantId,
    credentials: Credentials,
    now: UnixMillis,
) -> Answer {
    let Credentials {
        login_id,
        password,
        application,
        info,
        asker,
    } = credentials;
    let user = state
        .read(move |connection| find_user(connection, tenant, &login_id, application))
        .await?;
    if user.as_ref().is_some_and(|user| !user.active) {
        return Ok(HttpResponse::new(StatusCode::LOCKED));
    }
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = state.hashing.verify(asker, password, hash).await?;
    let user = match user {
        Some(user) if right => user,
        user => {
            record_failed_login(state, user, now, info).await?;
            return Err(ApiError::NotFound);
        }
    };
    state.failures.are_counted(user.id).await?;
    if user.expiry.is_some_and(|expiry| expiry <= now) {
        return Ok(HttpResponse::new(StatusCode::GONE));
    }
    let id = user.id;
    let in_the_way = state
        .read(move |connection| preventing(connection, id, application, now))
        .await?;
    if !in_the_way.is_empty() {
        let actions: Vec<View> = in_the_way.iter().map(preventing_view).collect();
        let body = BTreeMap::from([("actions", actions)]);
        return Ok(answer::with_json(&mut HttpResponse::Conflict(), &body));
    }
    let welcome = welcome(state, user, application, now).await?;
    let body = BTreeMap::from([("user", welcome.user)]);
    Ok(match welcome.is_registered {
        false => answer::with_json(&mut HttpResponse::Accepted(), &body),
        true => answer::json(&body),
    })
}

/// Somebody who may come in.
struct Welcome {
    user: View,
    /// For the application that was named, if one was.
    is_registered: bool,
}

/// Notes the login where there is something to note, which most of the time there is not.
async fn welcome(
    state: &Data<State>,
    user: User,
    application: Option<ApplicationId>,
    now: UnixMillis,
) -> Result<Welcome, ApiError> {
    let id = user.id;
    let (registration, has_failed) = state
        .read(move |connection| {
            let registration = match application {
                Some(application) => Registration::find_for(connection, id, application)?,
                None => None,
            };
            Ok((registration, FailedLogins::exist(connection, id)?))
        })
        .await?;
    let is_registered = application.is_none() || registration.is_some();
    let registration = registration.map(|registration| registration.id);
    let user = match registration.is_some() || has_failed {
        false => {
            state
                .read(move |connection| users::show(connection, &user))
                .await?
        }
        true => {
            let note = move |connection: &mut AnyConnection| {
                if let Some(registration) = registration {
                    Registration::note_login(connection, registration, now)?;
                }
                FailedLogins::clear(connection, id)?;
                users::show(connection, &user)
            };
            state.write(note).await?
        }
    };
    Ok(Welcome {
        user,
        is_registered,
    })
}

/// By email or username, with the same queries for everybody. An application has to be one of
/// the tenant's, and active.
fn find_user(
    connection: &mut AnyConnection,
    tenant: TenantId,
    login_id: &str,
    application: Option<ApplicationId>,
) -> Result<Option<User>, ApiError> {
    if let Some(id) = application {
        let application = Application::find(connection, id)?;
        let refusal = match application.filter(|application| application.tenant_id == tenant) {
            Some(application) if application.active => None,
            Some(_) => Some(Prefix::Inactive),
            None => Some(Prefix::Invalid),
        };
        if let Some(prefix) = refusal {
            return Err(ApiError::field(prefix, "applicationId"));
        }
    }
    let by_email = User::find_by_email(connection, tenant, login_id)?;
    let by_username = User::find_by_username(connection, tenant, login_id)?;
    Ok(by_email.or(by_username))
}

/// The active actions that keep the user out: all of them, or, where an application is
/// named, those that are limited to nothing or to it.
fn preventing(
    connection: &mut AnyConnection,
    user: UserId,
    application: Option<ApplicationId>,
    now: UnixMillis,
) -> Result<Vec<ActionLog>, ApiError> {
    let mut logs = ActionLog::of_user(connection, user, Filter::PreventingLogin, now)?;
    logs.retain(|log| {
        let limits = &log.application_ids.0;
        application.is_none_or(|application| limits.is_empty() || limits.contains(&application))
    });
    Ok(logs)
}

/// What the user may be told. `actionId` is the definition's: official clients read it so.
fn preventing_view(log: &ActionLog) -> View {
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
