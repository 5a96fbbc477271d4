//! A user.

use serde_json::{Value, json};

use super::{Absent, Members};
use crate::model::user::User;

/// The user as the API returns it: never with the password.
#[must_use]
pub fn user(user: &User, absent: Absent) -> Value {
    Members::new(absent)
        .with("active", user.active)
        .maybe("birthDate", user.birth_date.as_ref())
        .with("data", &user.data.0)
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
        .with("tenantId", user.tenant_id)
        .maybe("timezone", user.timezone.as_ref())
        .maybe("username", user.username.as_ref())
        // What official clients expect to be able to read, and Beadle has no use for.
        .with("identities", json!([]))
        .with("memberships", json!([]))
        .with("passwordChangeRequired", false)
        .with("registrations", json!([]))
        .with("twoFactor", json!({"methods": [], "recoveryCodes": []}))
        .with("usernameStatus", "ACTIVE")
        .with("verified", true)
        .done()
}
