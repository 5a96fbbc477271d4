//! Erasing: what a process has begun to erase, and did not come to the end of, is carried on.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use beadle_common::db::{Db, DbError};
use beadle_common::erasure::Erasure;
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use crate::core::Clock;

/// Between two looks. As a rule there is nothing to see: whoever begins goes on by itself.
const INTERVAL: Duration = Duration::from_secs(30);

/// Carries erasures on, at intervals.
pub struct Erasing {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
}

impl std::fmt::Debug for Erasing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Erasing").finish_non_exhaustive()
    }
}

impl Erasing {
    /// Looks until `stop`. What is under way then is left to whoever looks next.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // A panic here must not end deliveries, which are independent of it.
            let round = AssertUnwindSafe(self.round()).catch_unwind();
            tokio::select! {
                () = stop.cancelled() => return,
                ended = round => match ended {
                    Ok(Ok(0)) => {}
                    Ok(Ok(ended)) => tracing::info!(ended, "erased what was left to erase"),
                    Ok(Err(error)) => tracing::warn!("cannot erase: {error}"),
                    Err(_) => tracing::error!("erasing panicked"),
                },
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Carries on whatever is under way, to its end, and returns how much that was.
    ///
    /// # Errors
    /// Those of the database; what is gone by then stays so.
    pub async fn round(&self) -> Result<usize, DbError> {
        let now = (self.clock)();
        let under_way = self
            .db
            .read(|connection| Ok::<_, DbError>(Erasure::under_way(connection)?))
            .await?;
        let count = under_way.len();
        for erasure in under_way {
            erasure.carry_out(&self.db, now).await?;
        }
        Ok(count)
    }
}
