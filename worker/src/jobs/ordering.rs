//! Ordering: the net under webhooks that get each user's events in order. As a rule whoever
//! settles a delivery frees the next one; this frees what is left behind otherwise.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use beadle_common::db::{Db, DbError, Wake};
use beadle_common::outbox::{free_stranded, stranded};
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use crate::core::Clock;

/// Between two looks: a look reads every delivery that keeps an order.
const INTERVAL: Duration = Duration::from_secs(30);

/// Frees what is parked behind nothing, at intervals.
pub struct Ordering {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Tells of what is free.
    pub wake: Wake,
}

impl std::fmt::Debug for Ordering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ordering").finish_non_exhaustive()
    }
}

impl Ordering {
    /// Looks until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // A panic here must not end deliveries, which are independent of it.
            match AssertUnwindSafe(self.look()).catch_unwind().await {
                Ok(Ok(0)) => {}
                Ok(Ok(freed)) => {
                    tracing::info!(freed, "deliveries were parked behind nothing");
                    self.wake.wake();
                }
                Ok(Err(error)) => tracing::warn!("cannot look for parked deliveries: {error}"),
                Err(_) => tracing::error!("looking for parked deliveries panicked"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn look(&self) -> Result<usize, DbError> {
        let now = (self.clock)();
        let mut freed = 0;
        let mut after = None;
        loop {
            let found = self
                .db
                .read(move |connection| Ok::<_, DbError>(stranded(connection, after)?))
                .await?;
            if !found.queues.is_empty() {
                let queues = found.queues;
                let free = move |connection: &mut _| {
                    Ok::<_, DbError>(free_stranded(connection, &queues, now)?)
                };
                freed += self.db.write(free).await?;
            }
            match found.next {
                Some(next) => after = Some(next),
                None => return Ok(freed),
            }
        }
    }
}
