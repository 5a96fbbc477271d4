//! What is needed to send to a webhook, and what is kept of it from one batch to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use beadle_common::id::WebhookId;
use beadle_common::sign::LiveKeys;
use beadle_common::unix_millis::UnixMillis;
use secrecy::SecretString;

use super::jwt::JwtKey;

/// Webhooks that are kept at most.
const MOST: usize = 256;

/// A webhook as it stands, ready for any number of events.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) headers: Vec<(String, SecretString)>,
    pub(super) basic_auth: Option<(String, SecretString)>,
    pub(super) keys: LiveKeys,
    /// When the first of the keys stops signing.
    pub(super) keys_end: Option<UnixMillis>,
    pub(super) jwt: Option<Arc<JwtKey>>,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
}

/// Webhooks by version: each is taken for what it was only as long as a claim finds the same.
#[derive(Debug, Default)]
pub(super) struct KeptTargets(Mutex<HashMap<WebhookId, (String, Arc<Target>)>>);

impl KeptTargets {
    pub(super) fn get(&self, id: WebhookId, version: &str, now: UnixMillis) -> Option<Arc<Target>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, target) = kept.get(&id)?;
        let signs = target.keys_end.is_none_or(|end| now < end);
        (kept == version && signs).then(|| Arc::clone(target))
    }

    /// `version` is what the claim found, before the webhook was read. If it was changed
    /// between, it is read once more the next time.
    pub(super) fn keep(&self, id: WebhookId, version: &str, target: &Arc<Target>) {
        // Its key has a row of its own, of which the version says nothing.
        if target.jwt.is_some() {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(id, (version.to_owned(), Arc::clone(target)));
    }
}
