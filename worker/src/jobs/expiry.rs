//! Looks for actions whose expiry has passed and has the life cycle end them.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use beadle_common::db::{Db, DbError, Wake};
use beadle_common::lifecycle::{Setup, end_due};
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use crate::core::Clock;

/// The least pause after a failure: an operator may look more often than a database that
/// is down, or the log, should be bothered.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Ends what has expired, at intervals.
pub struct Expiry {
    /// The database.
    pub db: Db,
    /// What the life cycle needs to know.
    pub setup: Setup,
    /// Tells of events and mails of ends.
    pub wake: Wake,
    /// The clock.
    pub clock: Clock,
    /// How often to look.
    pub interval: Duration,
}

impl std::fmt::Debug for Expiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expiry")
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

impl Expiry {
    /// Looks until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // A panic over one action must not end deliveries, which are independent of it.
            let looked = AssertUnwindSafe(self.look(&stop)).catch_unwind().await;
            let pause = match looked {
                Ok(Ok(())) => self.interval,
                Ok(Err(error)) => {
                    tracing::warn!("cannot look for expired actions: {error}");
                    self.interval.max(AFTER_FAILURE)
                }
                Err(_) => {
                    tracing::error!("looking for expired actions panicked");
                    self.interval.max(AFTER_FAILURE)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Ends everything that is due now.
    async fn look(&self, stop: &CancellationToken) -> Result<(), DbError> {
        loop {
            let run = end_due(&self.db, &self.setup, (self.clock)()).await?;
            if run.wake {
                self.wake.wake();
            }
            if run.ended > 0 {
                tracing::info!(ended = run.ended, "actions have expired");
            }
            // Without one ended, going on at once would only spin.
            if !run.more || run.ended == 0 || stop.is_cancelled() {
                return Ok(());
            }
        }
    }
}
