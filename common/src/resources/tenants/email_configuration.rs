//! `tenant.emailConfiguration`: where a tenant's mail goes, and who it comes from.

use crate::db::AnyConnection;
use crate::id::SigningKeyId;
use crate::mail::sample;
use crate::model::signing_key::SigningKeyRow;
use crate::model::tenant::{DkimSetting, Tenant};
use crate::render::unsubscribe_uri;
use crate::sign::dkim::can_sign_mail;
use serde_json::{Map, Value, json};

use super::TenantResource;
use crate::resources::actor::Context;
use crate::resources::error::ResourceError;
use crate::resources::input::{LONGEST_NAME, Object};
use crate::resources::problem::Prefix;

pub(super) const SECURITY: [&str; 3] = ["NONE", "SSL", "TLS"];

/// What was read: the settings as they are stored and shown, and the password, which is
/// kept apart.
pub(super) struct EmailConfiguration {
    pub(super) settings: Map<String, Value>,
    pub(super) password: Option<String>,
}

/// Members that Beadle does not act on are kept as they come. Without a host the server's
/// own way to send mail is used, so a host is not made up, nor what goes with one.
pub(super) fn read_email_configuration(
    connection: &mut AnyConnection,
    tenant: &Object<'_>,
    context: &Context,
    reading: &TenantResource,
) -> Result<EmailConfiguration, ResourceError> {
    let empty = Map::new();
    let object = tenant
        .object("emailConfiguration")
        .unwrap_or_else(|| Object::root(&empty, tenant.errors()));
    let mut settings: Map<String, Value> = object
        .members()
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect();
    let dkim = dkim(connection, &object, context, reading)?;
    let host = object.short_text("host", LONGEST_NAME);
    let (port, security) = (port(&object), security(&object));
    let with_host = host.is_some();
    let mut set = |member: &str, value: Option<Value>| match value {
        Some(value) => settings.insert(member.to_owned(), value),
        None => settings.remove(member),
    };
    set("port", port.or_else(|| with_host.then(|| json!(25))));
    set(
        "security",
        security.or(with_host.then_some("NONE")).map(Value::from),
    );
    set("host", host.map(Value::String));
    set(
        "username",
        object
            .short_text("username", LONGEST_NAME)
            .map(Value::String),
    );
    set(
        "defaultFromEmail",
        object.email("defaultFromEmail").map(Value::String),
    );
    set(
        "defaultFromName",
        object
            .short_text("defaultFromName", LONGEST_NAME)
            .map(Value::String),
    );
    set(
        "listUnsubscribe",
        list_unsubscribe(&object).map(Value::String),
    );
    set("additionalHeaders", Some(additional_headers(&object)));
    set("rateLimit", rate_limit(&object));
    set("debug", Some(Value::Bool(object.flag("debug", false))));
    set("dkim", dkim);
    set("password", None);
    Ok(EmailConfiguration {
        password: object.text("password"),
        settings,
    })
}

/// What signs the mail: a domain, a selector below it, and a key of `/api/key`.
fn dkim(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    context: &Context,
    reading: &TenantResource,
) -> Result<Option<Value>, ResourceError> {
    let Some(dkim) = object.object("dkim") else {
        return Ok(None);
    };
    let name = |member: &str| {
        let name = dkim.required_text(member, LONGEST_NAME);
        let is_label = |label: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !label.is_empty() && label.bytes().all(known)
        };
        if !name.is_empty() && !name.split('.').all(is_label) {
            dkim.refuse(Prefix::Invalid, member);
        }
        name
    };
    let (domain, selector) = (name("domain"), name("selector"));
    let Some(key) = dkim.id::<SigningKeyId>("keyId") else {
        if dkim.errors().accepts(&dkim.path("keyId")) {
            dkim.refuse(Prefix::Missing, "keyId");
        }
        return Ok(None);
    };
    let setting = DkimSetting {
        domain,
        selector,
        key,
    };
    let found = SigningKeyRow::find(connection, key)?;
    if !found.is_some_and(|key| may_sign(&key, &setting, context, reading)) {
        dkim.refuse(Prefix::Invalid, "keyId");
    }
    Ok(Some(json!({
        "domain": setting.domain, "selector": setting.selector, "keyId": key,
    })))
}

/// A signature speaks for a domain, and the key of all tenants for that of any: a key that is
/// locked to a tenant may name such a one only as somebody else has done before.
fn may_sign(
    key: &SigningKeyRow,
    setting: &DkimSetting,
    context: &Context,
    reading: &TenantResource,
) -> bool {
    let stored = reading.stored.as_ref().and_then(Tenant::dkim);
    let is_as_before = stored.as_ref() == Some(setting);
    let is_free = key.tenant_id.is_some() || context.actor.lock.is_none() || is_as_before;
    is_free
        && key.serves(reading.row.id)
        && key.private_key.is_some()
        && can_sign_mail(key.algorithm)
}

fn port(object: &Object<'_>) -> Option<Value> {
    let port = object.integer("port")?;
    if !(1..=65_535).contains(&port) {
        object.refuse(Prefix::Invalid, "port");
    }
    Some(port.into())
}

/// Mails a second.
fn rate_limit(object: &Object<'_>) -> Option<Value> {
    let limit = object.integer("rateLimit")?;
    if !(1..=i64::from(i32::MAX)).contains(&limit) {
        object.refuse(Prefix::Invalid, "rateLimit");
    }
    Some(limit.into())
}

fn security(object: &Object<'_>) -> Option<&'static str> {
    let given = object.text("security")?;
    let known = SECURITY.into_iter().find(|known| *known == given);
    if known.is_none() {
        object.refuse(Prefix::InvalidJson, "security");
    }
    known
}

/// Where readers may say that they want no more mail: a template, tried with sample data.
fn list_unsubscribe(object: &Object<'_>) -> Option<String> {
    let member = "listUnsubscribe";
    let template = object.text(member)?;
    if let Err(fault) = unsubscribe_uri(&template, sample()) {
        let path = object.path(member);
        let errors = object.errors();
        errors.refuse_because(Prefix::Invalid, &path, fault.to_string());
    }
    Some(template)
}

/// Headers added to each mail. A line break in one would let it add more than itself.
fn additional_headers(object: &Object<'_>) -> Value {
    let headers = object.objects("additionalHeaders");
    let read = headers.iter().map(|header| {
        let name = header.required_text("name", LONGEST_NAME);
        let is_token = |byte: u8| byte.is_ascii_graphic() && byte != b':';
        if !name.bytes().all(is_token) {
            header.refuse(Prefix::Invalid, "name");
        }
        let value = header.text("value").unwrap_or_default();
        if value.chars().any(char::is_control) {
            header.refuse(Prefix::Invalid, "value");
        }
        json!({"name": name, "value": value})
    });
    read.collect()
}
