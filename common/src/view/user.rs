//! A user, and where they are registered.

use serde_json::json;

use super::{Absent, Members, View};
use crate::model::registration::Registration;
use crate::model::user::User;

/// A user who is registered nowhere, as the API returns it.
#[must_use]
pub fn user(user: &User, absent: Absent) -> View {
    registered_user(user, &[], absent)
}

/// The user as the API returns it: never with the password.
#[must_use]
pub fn registered_user(user: &User, registrations: &[Registration], absent: Absent) -> View {
    let registrations: Vec<View> = registrations
        .iter()
        .map(|row| registration(row, absent))
        .collect();
    Members::new(absent)
        .with("active", user.active)
        .maybe("birthDate", user.birth_date.as_ref())
        .with("data", &user.data)
        .maybe("email", user.email.as_ref())
        .maybe("expiry", user.expiry)
        .maybe("firstName", user.first_name.as_ref())
        .maybe("fullName", user.full_name.as_ref())
        .with("id", user.id)
        .maybe("imageUrl", user.image_url.as_ref())
        .with("insertInstant", user.insert_instant)
        .maybe("lastName", user.last_name.as_ref())
        .with("lastUpdateInstant", user.last_update_instant)
        .maybe("middleName", user.middle_name.as_ref())
        .maybe("mobilePhone", user.mobile_phone.as_ref())
        .maybe("parentEmail", user.parent_email.as_ref())
        .maybe(
            "passwordLastUpdateInstant",
            user.password_last_update_instant,
        )
        .with("preferredLanguages", &user.preferred_languages.0)
        .with("registrations", registrations)
        .with("tenantId", user.tenant_id)
        .maybe("timezone", user.timezone.as_ref())
        .maybe("username", user.username.as_ref())
        // What official clients expect to be able to read, and Beadle has no use for.
        .with("identities", json!([]))
        .with("memberships", json!([]))
        .with("passwordChangeRequired", false)
        .with("twoFactor", json!({"methods": [], "recoveryCodes": []}))
        .with("usernameStatus", "ACTIVE")
        .with("verified", true)
        .done()
}

/// The registration as the API returns it.
#[must_use]
pub fn registration(registration: &Registration, absent: Absent) -> View {
    Members::new(absent)
        .with("applicationId", registration.application_id)
        .with("data", &registration.data)
        .with("id", registration.id)
        .with("insertInstant", registration.insert_instant)
        .maybe("lastLoginInstant", registration.last_login_instant)
        .with("lastUpdateInstant", registration.last_update_instant)
        .with("preferredLanguages", &registration.preferred_languages.0)
        .with("roles", &registration.roles.0)
        .maybe("timezone", registration.timezone.as_ref())
        .maybe("username", registration.username.as_ref())
        // What official clients expect to be able to read, and Beadle has no use for.
        .with("tokens", json!({}))
        .with("usernameStatus", "ACTIVE")
        .with("verified", true)
        .done()
}
