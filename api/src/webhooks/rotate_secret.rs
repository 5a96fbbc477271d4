//! `POST /api/webhook/{webhookId}/secret/rotate`

use std::time::Duration;

use beadle_common::db::AnyConnection;
use beadle_common::id::WebhookId;
use beadle_common::model::webhook::{SecretKind, Webhook, WebhookSecretRow};
use beadle_common::seal::Sealer;
use beadle_common::sign::{LiveKeys, SigningKey};
use beadle_common::unix_millis::UnixMillis;
use serde_json::Map;

use super::{retrieve_secrets, secrets};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::Call;
use crate::input::{Body, Object};

const DAY: u64 = 24 * 60 * 60;

/// How long the old secret goes on signing if nothing else is asked for.
const DEFAULT_GRACE: Duration = Duration::from_secs(DAY);

const LONGEST_GRACE: Duration = Duration::from_secs(7 * DAY);

/// A new secret signs from now on. The old one does too until its grace is over, so that
/// the receiver can change over in its own time.
pub(super) async fn rotate_secret(mut call: Call) -> Answer {
    let id: WebhookId = call.required_id()?;
    let body = match call.has_body() {
        true => Some(call.body().await),
        false => None,
    };
    let (now, sealer) = (call.now(), call.state().sealer.clone());
    call.commit(move |connection| {
        let rows = rotate(connection, &sealer, id, body.clone(), now)?;
        retrieve_secrets::show(&sealer, &rows)
    })
    .await
}

fn rotate(
    connection: &mut AnyConnection,
    sealer: &Sealer,
    id: WebhookId,
    body: Option<Result<Body, ApiError>>,
    now: UnixMillis,
) -> Result<Vec<WebhookSecretRow>, ApiError> {
    // The secrets that are live are counted below: one rotation after the other.
    if Webhook::find_for_update(connection, id)?.is_none() {
        return Err(ApiError::NotFound);
    }
    let members = match body {
        Some(body) => body?.into_members()?,
        None => Map::new(),
    };
    let errors = Collector::new();
    let asked = Rotation::read(&Object::root(&members, &errors));
    let live = WebhookSecretRow::live_of(connection, &[id], now)?;
    let staying = live
        .iter()
        .filter(|row| !asked.grace.is_zero() || row.expiration_instant.is_some())
        .count();
    // Each adds a signature to every request.
    if staying >= LiveKeys::MOST {
        errors.refuse(Prefix::TooMany, "secret");
    }
    errors.finish()?;
    let secret = match asked.secret {
        Some(secret) => secret,
        None => secrets::generate(asked.kind)?,
    };
    WebhookSecretRow::expire_current(connection, id, now.plus(asked.grace))?;
    secrets::insert(connection, sealer, id, &secret, now)?;
    Ok(WebhookSecretRow::live_of(connection, &[id], now)?)
}

/// What a client may say of a rotation.
struct Rotation {
    grace: Duration,
    kind: SecretKind,
    /// None: one is made.
    secret: Option<SigningKey>,
}

impl Rotation {
    fn read(body: &Object<'_>) -> Self {
        let grace = body.integer("gracePeriodSeconds").map(|seconds| {
            let grace = u64::try_from(seconds).ok().map(Duration::from_secs);
            grace.filter(|grace| *grace <= LONGEST_GRACE)
        });
        if grace == Some(None) {
            body.refuse(Prefix::Invalid, "gracePeriodSeconds");
        }
        let secret = secrets::read_secret(body, "secret");
        Self {
            grace: grace.flatten().unwrap_or(DEFAULT_GRACE),
            kind: read_kind(body, secret.as_ref()),
            secret,
        }
    }
}

/// The kind that is asked for; that of the secret, if there is one, goes without saying.
fn read_kind(body: &Object<'_>, secret: Option<&SigningKey>) -> SecretKind {
    let own = secret.map(SecretKind::from);
    let default = own.unwrap_or(SecretKind::V1);
    let Some(text) = body.text("type") else {
        return default;
    };
    match text.parse() {
        Ok(kind) if own.is_none_or(|own| own == kind) => kind,
        Ok(_) => {
            let reason = format!("the secret is of type `{default}`, leave the type out");
            body.errors()
                .refuse_because(Prefix::Invalid, &body.path("type"), reason);
            default
        }
        Err(_) => {
            body.refuse(Prefix::Invalid, "type");
            default
        }
    }
}
