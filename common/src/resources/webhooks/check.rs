//! Rules for webhooks.

use std::collections::BTreeMap;

use url::Url;

use super::WebhookResource;
use crate::db::{AnyConnection, Json};
use crate::model::signing_key::SigningKeyRow;
use crate::resources::error::ResourceError;
use crate::resources::event_types::kind_of;
use crate::resources::field::Field;
use crate::resources::input::Object;
use crate::resources::problem::Prefix;
use crate::resources::tenant_ids::check_tenant_ids;

const LONGEST_URL: usize = 2048;

/// An absolute address. Whether it may be reached is decided when it is, since names can
/// move to other addresses.
pub(super) fn read_url(object: &Object<'_>, field: &Field, webhook: &mut WebhookResource) {
    let text = object.required_text(field.name, LONGEST_URL);
    let good = Url::parse(&text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
    });
    if !text.is_empty() && !good {
        object.errors().refuse_because(
            Prefix::Invalid,
            &object.path(field.name),
            "the address of a webhook is absolute and starts with http:// or https://",
        );
    }
    webhook.row.url = text;
}

pub(super) fn read_events(object: &Object<'_>) -> Json<BTreeMap<String, bool>> {
    let mut read = BTreeMap::new();
    let Some(events) = object.object("eventsEnabled") else {
        return Json(read);
    };
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
    Json(read)
}

/// What several members have to say to each other, and to other nouns.
pub(super) fn check(
    webhook: &WebhookResource,
    connection: &mut AnyConnection,
    object: &Object<'_>,
) -> Result<(), ResourceError> {
    let row = &webhook.row;
    let has_basic = row.http_authentication_username.is_some() && webhook.password.is_some();
    webhook.headers.check(object, has_basic);
    check_tenant_ids(connection, object)?;
    check_signing_key(webhook, connection, object)?;
    check_certificate(webhook, connection, object)
}

/// Whom a webhook serves decides whose keys it may name: those of all tenants, and those of a
/// tenant if it serves nobody else.
fn may_name(webhook: &WebhookResource, key: &SigningKeyRow) -> bool {
    let mut tenants = webhook.tenants.iter();
    let of_all = key.tenant_id.is_none();
    of_all || !webhook.row.global && tenants.all(|tenant| key.serves(*tenant))
}

/// The signature in JWT form needs a key that can sign.
fn check_signing_key(
    webhook: &WebhookResource,
    connection: &mut AnyConnection,
    object: &Object<'_>,
) -> Result<(), ResourceError> {
    let Some(signature) = object.object("signatureConfiguration") else {
        return Ok(());
    };
    let member = "signingKeyId";
    if let Some(id) = webhook.row.signing_key_id {
        let fits = |key: &SigningKeyRow| key.private_key.is_some() && may_name(webhook, key);
        if !SigningKeyRow::find(connection, id)?.is_some_and(|key| fits(&key)) {
            signature.refuse(Prefix::Invalid, member);
        }
    } else if webhook.row.signature_enabled && signature.errors().accepts(&signature.path(member)) {
        signature.refuse(Prefix::Missing, member);
    }
    Ok(())
}

fn check_certificate(
    webhook: &WebhookResource,
    connection: &mut AnyConnection,
    object: &Object<'_>,
) -> Result<(), ResourceError> {
    if let Some(id) = webhook.row.ssl_certificate_key_id
        && !SigningKeyRow::find(connection, id)?.is_some_and(|key| may_name(webhook, &key))
    {
        object.refuse(Prefix::Invalid, "sslCertificateKeyId");
    }
    Ok(())
}
