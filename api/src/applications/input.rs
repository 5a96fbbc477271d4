//! What a client may say of an application, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::{ApplicationId, TenantId};
use beadle_common::model::application::Application;
use beadle_common::model::normalize;
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::WRAPPER;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};

/// Members of the API that have a column of their own, or that only the server sets.
const OWN: [&str; 8] = [
    "active",
    "data",
    "id",
    "insertInstant",
    "lastUpdateInstant",
    "name",
    "state",
    "tenantId",
];

/// An application as the request describes it, active and new. Problems are reported to
/// the object's collector.
pub(super) fn read_application(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    id: ApplicationId,
    tenant: TenantId,
    now: UnixMillis,
) -> Result<Application, ApiError> {
    let name = object.required_text("name", LONGEST_NAME);
    if Application::by_name(connection, tenant, &name)?.is_some_and(|other| other != id) {
        object.refuse(Prefix::Duplicate, "name");
    }
    Ok(Application {
        id,
        tenant_id: tenant,
        name_normalized: normalize(&name),
        name,
        active: true,
        data: object.data_text("data"),
        settings: Json(read_settings(object)),
        insert_instant: now,
        last_update_instant: now,
    })
}

/// Members that Beadle does not act on are kept as they come.
fn read_settings(object: &Object<'_>) -> Map<String, Value> {
    let mut settings: Map<String, Value> = object
        .members()
        .iter()
        .filter(|(member, value)| !value.is_null() && !OWN.contains(&member.as_str()))
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect();
    settings.remove("roles");
    object.limit_settings(WRAPPER, &[&settings]);
    settings.insert("roles".to_owned(), read_roles(object));
    let mut login = object.data("loginConfiguration");
    let required = object
        .object("loginConfiguration")
        .is_none_or(|login| login.flag("requireAuthentication", true));
    login.insert("requireAuthentication".to_owned(), Value::Bool(required));
    settings.insert("loginConfiguration".to_owned(), Value::Object(login));
    settings
}

fn read_roles(object: &Object<'_>) -> Value {
    let roles = object.objects("roles");
    let read = roles.iter().map(|role| {
        let id = role.id::<Uuid>("id").unwrap_or_else(Uuid::new_v4);
        let mut read = Map::new();
        read.insert("id".to_owned(), json!(id));
        let name = role.required_text("name", LONGEST_NAME);
        read.insert("name".to_owned(), Value::String(name));
        for flag in ["isDefault", "isSuperRole"] {
            read.insert(flag.to_owned(), Value::Bool(role.flag(flag, false)));
        }
        if let Some(description) = role.text("description") {
            read.insert("description".to_owned(), Value::String(description));
        }
        Value::Object(read)
    });
    read.collect()
}
