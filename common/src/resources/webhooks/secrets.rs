//! Signing secrets, and the password of basic authentication: read, made, stored.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::WebhookResource;
use crate::db::AnyConnection;
use crate::id::{WebhookId, WebhookSecretId};
use crate::model::webhook::{SecretKind, Webhook, WebhookSecretRow};
use crate::resources::actor::Context;
use crate::resources::error::ResourceError;
use crate::resources::field::{Kind, Object as Schema, given};
use crate::resources::input::Object;
use crate::resources::member::{Member, fields, member, read_members};
use crate::resources::problem::{Collector, Prefix};
use crate::resources::resource::record;
use crate::seal::Sealer;
use crate::sign::{LiveKeys, SigningKey, WebhookPair, WebhookSecret};

const DAY: i64 = 24 * 60 * 60;

/// The secret that the client brings, if it brings one.
pub(super) fn read_secret(object: &Object<'_>, member: &str) -> Option<SigningKey> {
    let text = object.text(member)?;
    match SigningKey::parse(&text) {
        Ok(secret) => Some(secret),
        Err(error) => {
            let path = object.path(member);
            let errors = object.errors();
            errors.refuse_because(Prefix::Invalid, &path, error.to_string());
            None
        }
    }
}

/// A new secret.
pub(super) fn generate(kind: SecretKind) -> Result<SigningKey, ResourceError> {
    match kind {
        SecretKind::V1 => WebhookSecret::generate(getrandom::fill).map(SigningKey::V1),
        SecretKind::V1a => WebhookPair::generate(getrandom::fill).map(SigningKey::V1a),
    }
    .map_err(ResourceError::internal)
}

/// Stores the secret, sealed.
pub(super) fn insert(
    connection: &mut AnyConnection,
    context: &Context,
    webhook: WebhookId,
    secret: &SigningKey,
) -> Result<(), ResourceError> {
    // The order of these Ids is that of their creation, within a millisecond too.
    let id = WebhookSecretId::sequential();
    let text = secret.to_text();
    let sealed = context
        .sealer
        .seal_text(WebhookSecretRow::place(id), text.expose_secret())
        .map_err(ResourceError::internal)?;
    let row = WebhookSecretRow {
        id,
        webhook_id: webhook,
        kind: secret.into(),
        secret: sealed,
        insert_instant: context.now,
        expiration_instant: None,
        public_key: secret.public_text(),
    };
    Ok(row.insert(connection)?)
}

/// What a client may say of a rotation.
#[derive(Debug, Default)]
pub struct Rotation {
    grace_seconds: Option<i64>,
    kind: Option<String>,
    secret: Option<SigningKey>,
}

const MEMBERS: &[Member<Rotation>] = &[
    member!(
        grace_seconds,
        given(
            "gracePeriodSeconds",
            Kind::Integer(0, 7 * DAY),
            "How long the old secret goes on signing: a day, if it is not said.",
        )
    ),
    Member::request_only(
        given(
            "secret",
            Kind::Text,
            "The new secret; made if it is not given.",
        ),
        |object, field, rotation: &mut Rotation| rotation.secret = read_secret(object, field.name),
    ),
    member!(
        kind,
        given(
            "type",
            Kind::Word(SecretKind::TEXTS),
            "The tag of its signatures."
        )
    ),
];

/// A rotation in requests.
pub const ROTATION: Schema = Schema::wrapper(fields!(MEMBERS));

impl Rotation {
    fn grace(&self) -> Duration {
        let seconds = self.grace_seconds.unwrap_or(DAY);
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    /// The kind that is asked for; that of the secret, if there is one, goes without saying.
    fn kind(&self, object: &Object<'_>) -> SecretKind {
        let own = self.secret.as_ref().map(SecretKind::from);
        let default = own.unwrap_or(SecretKind::V1);
        let asked: Option<SecretKind> = self.kind.as_ref().and_then(|text| text.parse().ok());
        if own.is_some() && asked.is_some_and(|asked| asked != default) {
            let reason = format!("the secret is of type `{default}`, leave the type out");
            let errors = object.errors();
            errors.refuse_because(Prefix::Invalid, &object.path("type"), reason);
        }
        asked.unwrap_or(default)
    }
}

/// A new secret signs from now on. The old one does too until its grace is over, so that the
/// receiver can change over in its own time. Returns those that sign now.
///
/// # Errors
/// [`ResourceError::NotFound`], or [`ResourceError::Invalid`] with everything that is wrong.
pub fn rotate_secret(
    connection: &mut AnyConnection,
    context: &Context,
    id: WebhookId,
    members: &Map<String, Value>,
) -> Result<Vec<WebhookSecretRow>, ResourceError> {
    // The secrets that are live are counted below: one rotation after the other.
    if Webhook::find_for_update(connection, id)?.is_none() {
        return Err(ResourceError::NotFound);
    }
    let errors = Collector::new();
    let object = Object::root(members, &errors);
    let mut rotation = Rotation::default();
    read_members(MEMBERS, &object, &mut rotation, true);
    let kind = rotation.kind(&object);
    let live = WebhookSecretRow::live_of(connection, &[id], context.now)?;
    let staying = live
        .iter()
        .filter(|row| !rotation.grace().is_zero() || row.expiration_instant.is_some())
        .count();
    // Each adds a signature to every request.
    if staying >= LiveKeys::MOST {
        errors.refuse(Prefix::TooMany, "secret");
    }
    errors.finish()?;
    let end = context.now.plus(rotation.grace());
    let secret = rotation.secret.map_or_else(|| generate(kind), Ok)?;
    WebhookSecretRow::expire_current(connection, id, end)?;
    insert(connection, context, id, &secret)?;
    let done = ("gave a new secret to", id);
    record::<WebhookResource>(connection, context, done, None, None)?;
    Ok(WebhookSecretRow::live_of(connection, &[id], context.now)?)
}

pub(super) fn seal_password(
    sealer: &Sealer,
    id: WebhookId,
    password: Option<&str>,
) -> Result<Option<Vec<u8>>, ResourceError> {
    password
        .map(|password| sealer.seal_text(Webhook::password_place(id), password))
        .transpose()
        .map_err(ResourceError::internal)
}

pub(super) fn open_password(
    sealer: &Sealer,
    webhook: &Webhook,
) -> Result<Option<String>, ResourceError> {
    let Some(sealed) = &webhook.http_authentication_password else {
        return Ok(None);
    };
    let password = sealer
        .open_text(Webhook::password_place(webhook.id), sealed)
        .map_err(ResourceError::internal)?;
    Ok(Some(password.expose_secret().to_owned()))
}
