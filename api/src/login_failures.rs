//! Wrong passwords that are being counted, in this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use beadle_common::id::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use crate::error::ApiError;

/// Wrong passwords that are being counted at most. Whoever comes next waits for the answer,
/// which a stranger can tell nothing from: it is the same for names that nobody has.
const MOST_AT_ONCE: usize = 64;

/// How long anybody waits for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// Wrong passwords that are being counted.
#[derive(Debug, Clone)]
pub(crate) struct PendingFailures {
    room: Arc<Semaphore>,
    /// How many, by user.
    of_users: Arc<watch::Sender<BTreeMap<UserId, usize>>>,
}

impl Default for PendingFailures {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            of_users: Arc::default(),
        }
    }
}

/// One of them, until it is dropped.
pub(crate) struct Counting {
    failures: PendingFailures,
    user: UserId,
    _room: OwnedSemaphorePermit,
}

impl PendingFailures {
    pub(crate) async fn room(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let room = timeout(PATIENCE, Arc::clone(&self.room).acquire_owned()).await;
        room.map_err(|_| ApiError::Busy)?
            .map_err(ApiError::internal)
    }

    pub(crate) fn begin(&self, user: UserId, room: OwnedSemaphorePermit) -> Counting {
        self.of_users
            .send_modify(|of_users| *of_users.entry(user).or_default() += 1);
        Counting {
            failures: self.clone(),
            user,
            _room: room,
        }
    }

    /// Waits until every wrong password of this user that was answered is counted. Only for
    /// whoever knows the right one.
    pub(crate) async fn are_counted(&self, user: UserId) -> Result<(), ApiError> {
        let mut of_users = self.of_users.subscribe();
        let none = of_users.wait_for(|of_users| !of_users.contains_key(&user));
        let waited = timeout(PATIENCE, none).await.map_err(|_| ApiError::Busy)?;
        waited.map(drop).map_err(ApiError::internal)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.failures.of_users.send_modify(|of_users| {
            let left = of_users.remove(&self.user).unwrap_or(1) - 1;
            if left > 0 {
                of_users.insert(self.user, left);
            }
        });
    }
}
