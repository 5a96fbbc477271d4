//! A webhook as the API returns it: headers and password in the clear, signing secrets
//! only in the answer to its creation.

use beadle_common::id::TenantId;
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox::DestinationState;
use beadle_common::seal::Sealer;
use beadle_common::view::{Absent, Members, View};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::error::ApiError;

pub(super) fn webhook(
    sealer: &Sealer,
    webhook: &Webhook,
    tenants: &[TenantId],
    destination: &DestinationState,
    signing_secret: Option<&str>,
) -> Result<View, ApiError> {
    let signature = Members::new(Absent::Omit)
        .with("enabled", webhook.signature_enabled)
        .maybe("signingKeyId", webhook.signing_key_id)
        .done();
    let (disabled_instant, disabled_reason) = destination.disabled().unzip();
    let state = match disabled_instant {
        None => "Active",
        Some(_) => "Disabled",
    };
    Ok(Members::new(Absent::Omit)
        .with("connectTimeout", webhook.connect_timeout)
        .maybe("contactEmail", webhook.contact_email.as_ref())
        .with("data", &webhook.data)
        .maybe("description", webhook.description.as_ref())
        .maybe("disabledInstant", disabled_instant)
        .maybe("disabledReason", disabled_reason)
        .with("eventsEnabled", &webhook.events_enabled.0)
        .with("global", webhook.global)
        .with("headers", headers(sealer, webhook)?)
        .maybe("httpAuthenticationPassword", password(sealer, webhook)?)
        .maybe(
            "httpAuthenticationUsername",
            webhook.http_authentication_username.as_ref(),
        )
        .with("id", webhook.id)
        .with("insertInstant", webhook.insert_instant)
        .with("lastUpdateInstant", webhook.last_update_instant)
        .maybe("orderedBy", webhook.ordered_by.as_ref())
        .maybe("rateLimit", webhook.rate_limit)
        .with("readTimeout", webhook.read_timeout)
        .with("signatureConfiguration", signature)
        .maybe("signingSecret", signing_secret)
        .maybe("sslCertificate", webhook.ssl_certificate.as_ref())
        .maybe("sslCertificateKeyId", webhook.ssl_certificate_key_id)
        .with("state", state)
        .with("tenantIds", tenants)
        .with("url", &webhook.url)
        .done())
}

/// The webhook in its wrapper, as a PATCH starts from it.
pub(super) fn for_patch(
    sealer: &Sealer,
    stored: &Webhook,
    tenants: &[TenantId],
    destination: &DestinationState,
) -> Result<Value, ApiError> {
    Ok(json!({super::WRAPPER: webhook(sealer, stored, tenants, destination, None)?.into_value()}))
}

fn headers(sealer: &Sealer, webhook: &Webhook) -> Result<Value, ApiError> {
    let text = sealer
        .open(Webhook::headers_place(webhook.id), &webhook.headers)
        .map_err(ApiError::internal)?;
    serde_json::from_slice(&text).map_err(ApiError::internal)
}

fn password(sealer: &Sealer, webhook: &Webhook) -> Result<Option<String>, ApiError> {
    let Some(sealed) = &webhook.http_authentication_password else {
        return Ok(None);
    };
    let password = sealer
        .open_text(Webhook::password_place(webhook.id), sealed)
        .map_err(ApiError::internal)?;
    Ok(Some(password.expose_secret().to_owned()))
}
