//! What a client may say of a user, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::{TenantId, UserId};
use beadle_common::model::normalize;
use beadle_common::model::user::User;
use beadle_common::time_zone::time_zone;
use beadle_common::unix_millis::UnixMillis;
use jiff::civil::Date;

use super::password::read_password;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};

/// Languages of a user or a registration.
pub(crate) const MOST_LANGUAGES: usize = 20;

/// Longest address of a picture.
const LONGEST_URL: usize = 2048;

/// Whose user this is, and since when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) id: UserId,
    pub(crate) tenant: TenantId,
}

/// A user as the request describes it, active and new, without a password hash. The
/// password, if there is one, is returned beside it. Problems are reported to the
/// object's collector.
pub(super) fn read_user(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    Identity { id, tenant }: Identity,
    now: UnixMillis,
) -> Result<(User, Option<String>), ApiError> {
    let email = object.email("email").map(|email| email.to_lowercase());
    let username = object.short_text("username", LONGEST_NAME);
    check_names(
        connection,
        object,
        Identity { id, tenant },
        email.as_deref(),
        username.as_deref(),
    )?;
    let user = User {
        id,
        tenant_id: tenant,
        active: true,
        email,
        username_normalized: username.as_deref().map(normalize),
        username,
        password_hash: None,
        password_last_update_instant: None,
        first_name: object.short_text("firstName", LONGEST_NAME),
        middle_name: object.short_text("middleName", LONGEST_NAME),
        last_name: object.short_text("lastName", LONGEST_NAME),
        full_name: object.short_text("fullName", LONGEST_NAME),
        image_url: object.short_text("imageUrl", LONGEST_URL),
        mobile_phone: object.short_text("mobilePhone", LONGEST_NAME),
        parent_email: object.email("parentEmail"),
        birth_date: read_birth_date(object),
        timezone: read_timezone(object),
        expiry: object.instant("expiry"),
        preferred_languages: Json(object.locales("preferredLanguages", MOST_LANGUAGES)),
        data: object.data_text("data"),
        insert_instant: now,
        last_update_instant: now,
    };
    Ok((user, read_password(object)))
}

/// A user needs a name to log in with, and shares it with nobody in the tenant.
fn check_names(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    own: Identity,
    email: Option<&str>,
    username: Option<&str>,
) -> Result<(), ApiError> {
    let readable = ["email", "username"]
        .iter()
        .all(|member| object.errors().accepts(&object.path(member)));
    if email.is_none() && username.is_none() && readable {
        object.refuse(Prefix::Blank, "email");
        object.refuse(Prefix::Blank, "username");
    }
    let is_other = |user: Option<User>| user.is_some_and(|user| user.id != own.id);
    if let Some(email) = email
        && is_other(User::find_by_email(connection, own.tenant, email)?)
    {
        object.refuse(Prefix::Duplicate, "email");
    }
    if let Some(username) = username
        && is_other(User::find_by_username(connection, own.tenant, username)?)
    {
        object.refuse(Prefix::Duplicate, "username");
    }
    Ok(())
}

fn read_birth_date(object: &Object<'_>) -> Option<String> {
    const DATE: usize = "YYYY-MM-DD".len();
    let text = object.text("birthDate")?;
    let date = Some(&text)
        .filter(|text| text.len() == DATE)
        .and_then(|text| text.parse::<Date>().ok());
    if date.is_none() {
        object.refuse(Prefix::InvalidJson, "birthDate");
    }
    Some(date?.to_string())
}

/// A time zone by its IANA name.
pub(crate) fn read_timezone(object: &Object<'_>) -> Option<String> {
    let name = object.text("timezone")?;
    if time_zone(&name).is_none() {
        object.refuse(Prefix::InvalidJson, "timezone");
    }
    Some(name)
}
