//! A tenant in its wrapper, as a PATCH starts from it and as another tenant is made of it.

use beadle_common::model::tenant::Tenant;
use beadle_common::seal::Sealer;
use beadle_common::view::{self, Absent};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::WRAPPER;
use crate::error::ApiError;

/// The stored SMTP password in the clear.
pub(super) fn smtp_password(sealer: &Sealer, tenant: &Tenant) -> Result<Option<String>, ApiError> {
    let Some(sealed) = &tenant.smtp_password else {
        return Ok(None);
    };
    let password = sealer
        .open_text(Tenant::password_place(tenant.id), sealed)
        .map_err(ApiError::internal)?;
    Ok(Some(password.expose_secret().to_owned()))
}

/// With this in the place of the password.
pub(super) fn for_patch(tenant: &Tenant, password: Option<&str>) -> Value {
    let mut object = view::tenant(tenant, Absent::Omit).into_value();
    if let Some(password) = password
        && let Some(Value::Object(settings)) = object.get_mut("emailConfiguration")
    {
        settings.insert("password".to_owned(), Value::from(password));
    }
    json!({ WRAPPER: object })
}
