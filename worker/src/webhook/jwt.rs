//! Signatures in JWT form, for the webhooks that ask for one.
//!
//! Such a signature covers the body alone. So it is made once for all webhooks of a batch
//! that share a key, and only when the first of them is sent: an RSA signature takes as
//! long as everything else that a delivery computes.

use std::collections::HashMap;
use std::sync::Arc;

use beadle_common::db::AnyConnection;
use beadle_common::id::{EventId, SigningKeyId};
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::model::webhook::Webhook;
use beadle_common::seal::Sealer;
use beadle_common::sign::jws::JwsKey;
use bytes::Bytes;
use diesel::QueryResult;
use tokio::sync::OnceCell;

use crate::core::Unsendable;
use crate::core::outcome::{ErrorClass, Failure};

/// A key, and what signatures name it by.
#[derive(Debug)]
pub(super) struct JwtKey {
    id: SigningKeyId,
    kid: String,
    key: JwsKey,
}

/// The keys of a batch, each opened once.
#[derive(Debug)]
pub(super) struct JwtKeys(HashMap<SigningKeyId, Result<Arc<JwtKey>, Unsendable>>);

impl JwtKeys {
    /// The keys that these webhooks ask for.
    pub(super) fn load<'a>(
        connection: &mut AnyConnection,
        sealer: &Sealer,
        webhooks: impl Iterator<Item = &'a Webhook>,
    ) -> QueryResult<Self> {
        let mut ids: Vec<SigningKeyId> = webhooks.filter_map(key_of).collect();
        if ids.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        ids.sort_unstable();
        ids.dedup();
        let rows = SigningKeyRow::load(connection, &ids)?;
        let opened = |row: SigningKeyRow| (row.id, open(sealer, row).map(Arc::new));
        Ok(Self(rows.into_iter().map(opened).collect()))
    }

    /// The key of a webhook, if it asks for such a signature.
    pub(super) fn of(&self, webhook: &Webhook) -> Result<Option<Arc<JwtKey>>, Unsendable> {
        if !webhook.signature_enabled {
            return Ok(None);
        }
        match key_of(webhook).and_then(|id| self.0.get(&id)) {
            Some(key) => key.clone().map(Some),
            None => Err(Unsendable::broken(
                "the signing key of the webhook is gone, name another",
            )),
        }
    }
}

fn key_of(webhook: &Webhook) -> Option<SigningKeyId> {
    webhook.signing_key_id.filter(|_| webhook.signature_enabled)
}

fn open(sealer: &Sealer, row: SigningKeyRow) -> Result<JwtKey, Unsendable> {
    let Some(private) = &row.private_key else {
        return Err(Unsendable::broken(
            "the signing key of the webhook has no private part, name another",
        ));
    };
    let stored = sealer
        .open(SigningKeyRow::key_place(row.id), private)
        .map_err(|error| Unsendable::sealed("signing key", &error))?;
    let key = JwsKey::from_stored(row.algorithm, &stored)
        .map_err(|error| Unsendable::broken(&format!("signing key: {error}")))?;
    Ok(JwtKey {
        id: row.id,
        kid: row.kid,
        key,
    })
}

/// The signature of one body with one key, whoever it goes to.
#[derive(Debug)]
pub(super) struct Jwt {
    key: Arc<JwtKey>,
    body: Bytes,
    made: OnceCell<String>,
}

impl Jwt {
    /// The header's value, made by whoever asks first.
    pub(super) async fn text(&self) -> Result<String, Failure> {
        let made = self.made.get_or_try_init(|| self.make()).await?;
        Ok(made.clone())
    }

    /// Beside the threads that serve connections.
    async fn make(&self) -> Result<String, Failure> {
        let (key, body) = (Arc::clone(&self.key), self.body.clone());
        let made = tokio::task::spawn_blocking(move || key.key.sign_body(&key.kid, &body)).await;
        let failed = |error: String| Failure::new(ErrorClass::Unknown, error);
        made.map_err(|error| failed(format!("signing was cut short: {error}")))?
            .map_err(|error| failed(format!("cannot sign the body: {error}")))
    }
}

/// The signatures of a batch.
#[derive(Debug, Default)]
pub(super) struct Jwts(HashMap<(EventId, SigningKeyId), Arc<Jwt>>);

impl Jwts {
    /// The signature of an event's body.
    pub(super) fn of(&mut self, key: &Arc<JwtKey>, event: EventId, body: &Bytes) -> Arc<Jwt> {
        let jwt = self.0.entry((event, key.id)).or_insert_with(|| {
            Arc::new(Jwt {
                key: Arc::clone(key),
                body: body.clone(),
                made: OnceCell::new(),
            })
        });
        Arc::clone(jwt)
    }
}
