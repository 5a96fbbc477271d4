//! What a client may say of a registration, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::{ApplicationId, RegistrationId, TenantId, UserId};
use beadle_common::model::application::Application;
use beadle_common::model::registration::Registration;
use beadle_common::unix_millis::UnixMillis;
use serde_json::Value;

use super::APPLICATION;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Listed, Object};
use crate::users::{MOST_LANGUAGES, read_timezone};

/// Bytes of all registrations of a user. They are shown with the user, and on pages of many.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// The application that a registration is for, if it may be registered for.
pub(super) fn read_application(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    tenant: Option<TenantId>,
) -> Result<Option<Application>, ApiError> {
    let Some(id) = object.required_id::<ApplicationId>(APPLICATION) else {
        return Ok(None);
    };
    let application = Application::find(connection, id)?
        .filter(|application| tenant.is_none_or(|tenant| tenant == application.tenant_id));
    match &application {
        None => object.refuse(Prefix::Invalid, APPLICATION),
        Some(application) if !application.active => object.refuse(Prefix::Inactive, APPLICATION),
        Some(_) => {}
    }
    Ok(application)
}

/// A new registration as the request describes it. Problems are reported to the object's
/// collector.
pub(super) fn read_registration(
    object: &Object<'_>,
    user: UserId,
    application: &Application,
    now: UnixMillis,
) -> Registration {
    Registration {
        id: RegistrationId::random(),
        user_id: user,
        application_id: application.id,
        username: object.short_text("username", LONGEST_NAME),
        timezone: read_timezone(object),
        roles: Json(read_roles(object, application)),
        preferred_languages: Json(object.locales("preferredLanguages", MOST_LANGUAGES)),
        data: object.data_text("data"),
        last_login_instant: None,
        insert_instant: now,
        last_update_instant: now,
    }
}

/// Refuses what would make the registrations of a user too much to be shown with them.
pub(super) fn check_size(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    registration: &Registration,
) -> Result<(), ApiError> {
    let (user, application) = (registration.user_id, registration.application_id);
    let others = Registration::size_beside(connection, user, application)?;
    let own = registration.data.as_str().len() + Registration::OVERHEAD;
    if others + own > MOST_BYTES {
        object.errors().refuse_because(
            Prefix::TooLong,
            &object.path("data"),
            format!("the registrations of a user take at most {MOST_BYTES} bytes together"),
        );
    }
    Ok(())
}

/// Names of roles that the application has. Without a word about roles: those that it
/// gives to everybody.
fn read_roles(object: &Object<'_>, application: &Application) -> Vec<String> {
    let existing = application
        .settings
        .0
        .get("roles")
        .and_then(Value::as_array);
    let existing = existing.map_or(&[][..], Vec::as_slice);
    let name = |role: &Value| Some(role.get("name")?.as_str()?.to_owned());
    if object.value("roles").is_none() {
        let is_default = |role: &&Value| role.get("isDefault") == Some(&Value::Bool(true));
        return existing
            .iter()
            .filter(is_default)
            .filter_map(name)
            .collect();
    }
    let names: Vec<String> = existing.iter().filter_map(name).collect();
    let mut roles = Vec::new();
    for Listed { path, value } in object.texts("roles") {
        if !names.contains(&value) {
            object.errors().refuse(Prefix::Invalid, &path);
        }
        if !roles.contains(&value) {
            roles.push(value);
        }
    }
    roles
}
