//! What a client may say of a webhook, and the rules for it.

use std::collections::BTreeMap;

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::{SigningKeyId, TenantId, WebhookId};
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::model::webhook::Webhook;
use beadle_common::seal::Sealer;
use beadle_common::unix_millis::UnixMillis;
use url::Url;

use super::headers::read_headers;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};
use crate::tenants::read_tenant_ids;
use beadle_common::resources::event_types::kind_of;

const LONGEST_URL: usize = 2048;
const LONGEST_TEXT: usize = 1024;
const LONGEST_CERTIFICATE: usize = 65_535;

/// A webhook as the request describes it, and the tenants it belongs to. Problems are
/// reported to the object's collector.
pub(super) fn read_webhook(
    connection: &mut AnyConnection,
    sealer: &Sealer,
    object: &Object<'_>,
    id: WebhookId,
    now: UnixMillis,
) -> Result<(Webhook, Vec<TenantId>), ApiError> {
    let events_enabled = read_events(object);
    let username = object.short_text("httpAuthenticationUsername", LONGEST_NAME);
    let password = object.short_text("httpAuthenticationPassword", LONGEST_TEXT);
    let headers = read_headers(object, username.is_some() && password.is_some());
    let global = object.flag("global", false);
    let tenants = read_tenants(connection, object)?;
    let names_key = KeyNaming {
        global,
        tenants: &tenants,
    };
    let (signature_enabled, signing_key_id) = names_key.read_signature(connection, object)?;
    let ssl_certificate_key_id = names_key.read_certificate(connection, object)?;
    let webhook = Webhook {
        id,
        url: read_url(object),
        description: object.short_text("description", LONGEST_TEXT),
        connect_timeout: read_timeout(object, "connectTimeout"),
        read_timeout: read_timeout(object, "readTimeout"),
        global,
        user_action_enabled: events_enabled.get("user.action").copied().unwrap_or(false),
        events_enabled: Json(events_enabled),
        headers: seal_headers(sealer, id, &headers)?,
        http_authentication_username: username,
        http_authentication_password: seal_password(sealer, id, password.as_deref())?,
        data: object.data_text("data"),
        signature_enabled,
        signing_key_id,
        ssl_certificate: object.long_text("sslCertificate", LONGEST_CERTIFICATE),
        ssl_certificate_key_id,
        rate_limit: read_rate_limit(object),
        ordered_by: read_order(object),
        contact_email: object.email("contactEmail"),
        insert_instant: now,
        last_update_instant: now,
    };
    Ok((webhook, tenants))
}

fn seal_headers(
    sealer: &Sealer,
    id: WebhookId,
    headers: &BTreeMap<String, String>,
) -> Result<Vec<u8>, ApiError> {
    let text = serde_json::to_vec(headers).map_err(ApiError::internal)?;
    sealer
        .seal(Webhook::headers_place(id), &text)
        .map_err(ApiError::internal)
}

fn seal_password(
    sealer: &Sealer,
    id: WebhookId,
    password: Option<&str>,
) -> Result<Option<Vec<u8>>, ApiError> {
    password
        .map(|password| sealer.seal_text(Webhook::password_place(id), password))
        .transpose()
        .map_err(ApiError::internal)
}

/// An absolute address. Whether it may be reached is decided when it is, since names can
/// move to other addresses.
fn read_url(object: &Object<'_>) -> String {
    let text = object.required_text("url", LONGEST_URL);
    let good = Url::parse(&text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
    });
    if !text.is_empty() && !good {
        object.errors().refuse_because(
            Prefix::Invalid,
            &object.path("url"),
            "the address of a webhook is absolute and starts with http:// or https://",
        );
    }
    text
}

/// Milliseconds, above zero.
fn read_timeout(object: &Object<'_>, member: &str) -> i32 {
    let Some(millis) = object.integer(member) else {
        if object.errors().accepts(&object.path(member)) {
            object.refuse(Prefix::Missing, member);
        }
        return 0;
    };
    positive(object, member, millis)
}

/// Requests a second.
fn read_rate_limit(object: &Object<'_>) -> Option<i32> {
    let limit = object.integer("rateLimit")?;
    Some(positive(object, "rateLimit", limit))
}

fn positive(object: &Object<'_>, member: &str, number: i64) -> i32 {
    let number = i32::try_from(number).unwrap_or(0);
    if number <= 0 {
        object.refuse(Prefix::Invalid, member);
    }
    number
}

/// `user` is all that deliveries can be ordered by.
fn read_order(object: &Object<'_>) -> Option<String> {
    let order = object.text("orderedBy")?;
    if order != "user" {
        object.refuse(Prefix::Invalid, "orderedBy");
    }
    Some(order)
}

fn read_events(object: &Object<'_>) -> BTreeMap<String, bool> {
    let Some(events) = object.object("eventsEnabled") else {
        return BTreeMap::new();
    };
    let mut read = BTreeMap::new();
    for name in events.members().keys() {
        if kind_of(name).is_none() {
            object.errors().refuse_because(
                Prefix::InvalidJson,
                &object.path("eventsEnabled"),
                format!("`{name}` is no event type"),
            );
        } else if events.value(name).is_some() {
            read.insert(name.clone(), events.flag(name, false));
        }
    }
    read
}

/// Whom a webhook serves, and so whose keys it may name: those of all tenants, and those of a
/// tenant if it serves nobody else.
struct KeyNaming<'a> {
    global: bool,
    tenants: &'a [TenantId],
}

impl KeyNaming<'_> {
    fn may_name(&self, key: &SigningKeyRow) -> bool {
        let of_all = key.tenant_id.is_none();
        of_all || !self.global && self.tenants.iter().all(|tenant| key.serves(*tenant))
    }

    /// The signature in JWT form needs a key that can sign.
    fn read_signature(
        &self,
        connection: &mut AnyConnection,
        object: &Object<'_>,
    ) -> Result<(bool, Option<SigningKeyId>), ApiError> {
        let Some(signature) = object.object("signatureConfiguration") else {
            return Ok((false, None));
        };
        let enabled = signature.flag("enabled", false);
        let id: Option<SigningKeyId> = signature.id("signingKeyId");
        if let Some(id) = id {
            let fits = |key: &SigningKeyRow| key.private_key.is_some() && self.may_name(key);
            if !SigningKeyRow::find(connection, id)?.is_some_and(|key| fits(&key)) {
                signature.refuse(Prefix::Invalid, "signingKeyId");
            }
        } else if enabled && signature.errors().accepts(&signature.path("signingKeyId")) {
            signature.refuse(Prefix::Missing, "signingKeyId");
        }
        Ok((enabled, id))
    }

    fn read_certificate(
        &self,
        connection: &mut AnyConnection,
        object: &Object<'_>,
    ) -> Result<Option<SigningKeyId>, ApiError> {
        let member = "sslCertificateKeyId";
        let id: Option<SigningKeyId> = object.id(member);
        if let Some(id) = id
            && !SigningKeyRow::find(connection, id)?.is_some_and(|key| self.may_name(&key))
        {
            object.refuse(Prefix::Invalid, member);
        }
        Ok(id)
    }
}

fn read_tenants(
    connection: &mut AnyConnection,
    object: &Object<'_>,
) -> Result<Vec<TenantId>, ApiError> {
    let mut tenants = read_tenant_ids(connection, object)?;
    tenants.sort_unstable();
    Ok(tenants)
}
