//! What is needed to send to a webhook, and what is kept of it from one batch to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use beadle_common::db::ConfigEpoch;
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

/// Webhooks as they were at one epoch of the configuration, for what is claimed at the same.
#[derive(Debug, Default)]
pub(super) struct KeptTargets(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    epoch: ConfigEpoch,
    targets: HashMap<WebhookId, Arc<Target>>,
}

impl KeptTargets {
    /// The webhook, if it is known as it was at this epoch, and signs with the same keys still.
    pub(super) fn get(
        &self,
        id: WebhookId,
        epoch: ConfigEpoch,
        now: UnixMillis,
    ) -> Option<Arc<Target>> {
        let kept = self.lock();
        let target = kept.targets.get(&id).filter(|_| kept.epoch == epoch)?;
        let signs = target.keys_end.is_none_or(|end| now < end);
        signs.then(|| Arc::clone(target))
    }

    /// `epoch` is that of a claim, and the webhook was read after it. If it was changed in
    /// between, no later claim is of this epoch.
    pub(super) fn keep(&self, id: WebhookId, epoch: ConfigEpoch, target: &Arc<Target>) {
        let mut kept = self.lock();
        if kept.epoch != epoch || kept.targets.len() >= MOST {
            kept.targets.clear();
            kept.epoch = epoch;
        }
        kept.targets.insert(id, Arc::clone(target));
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
