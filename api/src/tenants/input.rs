//! What a client may say of a tenant, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::TenantId;
use beadle_common::model::lockout::Lockout;
use beadle_common::model::normalize;
use beadle_common::model::tenant::Tenant;
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Map, Value};

use super::WRAPPER;
use super::email_configuration::{EmailConfiguration, read_email_configuration};
use super::event_configuration::read_event_configuration;
use super::failed_authentication::read_failed_authentication;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};

/// Members of the API that have a column of their own, or that only the server sets.
const OWN: [&str; 9] = [
    "configured",
    "data",
    "emailConfiguration",
    "eventConfiguration",
    "id",
    "insertInstant",
    "lastUpdateInstant",
    "name",
    "state",
];

/// What a tenant is read for.
pub(super) struct Reading<'a> {
    pub(super) id: TenantId,
    /// The only tenant that whoever asks may act for.
    pub(super) lock: Option<TenantId>,
    /// What there is of it so far.
    pub(super) stored: Option<&'a Tenant>,
    pub(super) now: UnixMillis,
}

/// A tenant as the request describes it, without its sealed password, which is returned
/// beside it in the clear. Problems are reported to the object's collector.
pub(super) fn read_tenant(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    reading: &Reading<'_>,
) -> Result<(Tenant, Option<String>), ApiError> {
    let Reading { id, now, .. } = *reading;
    let name = object.required_text("name", LONGEST_NAME);
    if Tenant::by_name(connection, &name)?.is_some_and(|other| other != id) {
        object.refuse(Prefix::Duplicate, "name");
    }
    let lockout = read_failed_authentication(connection, object)?;
    let mut settings: Map<String, Value> = object
        .members()
        .iter()
        .filter(|(member, value)| !value.is_null() && !OWN.contains(&member.as_str()))
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect();
    if let Some(lockout) = lockout {
        let lockout = serde_json::to_value(lockout).map_err(ApiError::internal)?;
        settings.insert(Lockout::MEMBER.to_owned(), lockout);
    }
    let EmailConfiguration {
        settings: email,
        password,
    } = read_email_configuration(connection, object, reading)?;
    let events = read_event_configuration(object);
    object.limit_settings(WRAPPER, &[&settings, &email, &events]);
    let tenant = Tenant {
        id,
        name_normalized: normalize(&name),
        name,
        is_default: false,
        data: object.data_text("data"),
        email_configuration: Json(email),
        smtp_password: None,
        event_configuration: Json(events),
        settings: Json(settings),
        insert_instant: now,
        last_update_instant: now,
    };
    Ok((tenant, password))
}
