//! Looks for actions whose expiry has passed and has the life cycle end them.

use std::time::Duration;

use beadle_common::db::{Db, DbError, Wake};
use beadle_common::lifecycle::{Setup, end_due};
use tokio_util::sync::CancellationToken;

use crate::drain::Clock;

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
            if let Err(error) = self.look(&stop).await {
                tracing::warn!("cannot look for expired actions: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.interval) => {}
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
