//! Pruning: what was delivered longer ago than the retention is removed, bit by bit.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use beadle_common::db::{Db, DbError};
use beadle_common::outbox::{Cursor, Prunable, look, remove};
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use crate::core::Clock;

/// Between two rounds. A row more or less makes no difference to a retention of days.
const INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Between two batches, so that those who deliver have the database to themselves most of
/// the time.
const BREATH: Duration = Duration::from_millis(200);

/// Removes what is old, at intervals.
pub struct Pruning {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// How long what was delivered is kept.
    pub retention: Duration,
}

impl std::fmt::Debug for Pruning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pruning")
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}

impl Pruning {
    /// Prunes until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // A panic here must not end deliveries, which are independent of it.
            let round = AssertUnwindSafe(self.round(&stop)).catch_unwind().await;
            match round {
                Ok(Ok(0)) => {}
                Ok(Ok(removed)) => tracing::info!(removed, "pruned what was delivered long ago"),
                Ok(Err(error)) => tracing::warn!("cannot prune: {error}"),
                Err(_) => tracing::error!("pruning panicked"),
            }
            pause(INTERVAL, &stop).await;
        }
    }

    /// Removes all that is old now, batch by batch, and returns how much that was.
    ///
    /// # Errors
    /// Those of the database; what is removed by then stays so.
    pub async fn round(&self, stop: &CancellationToken) -> Result<usize, DbError> {
        let now = (self.clock)();
        let cutoff = now.minus(self.retention);
        let mut removed = 0;
        for what in Prunable::ALL {
            let mut cursor = Cursor::Start;
            while cursor != Cursor::End && !stop.is_cancelled() {
                let found = self
                    .db
                    .read(move |connection| {
                        Ok::<_, DbError>(look(connection, what, cursor, cutoff)?)
                    })
                    .await?;
                cursor = found.next;
                if found.is_empty() {
                    continue;
                }
                let remove = move |connection: &mut _| {
                    Ok::<_, DbError>(remove(connection, &found, cutoff, now)?)
                };
                removed += self.db.write(remove).await?;
                pause(BREATH, stop).await;
            }
        }
        Ok(removed)
    }
}

async fn pause(duration: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(duration) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use beadle_common::model::event_log::{EventLog, EventLogType};
    use beadle_common::test_support::TestDb;
    use beadle_common::unix_millis::UnixMillis;

    use super::*;

    #[tokio::test]
    async fn a_round_goes_by_the_clock_and_the_retention() {
        let test = TestDb::sqlite();
        let began = UnixMillis::from_millis(1_795_300_000_000);
        let days = |count: u64| Duration::from_secs(count * 24 * 60 * 60);
        test.db
            .write(move |c| Ok::<_, DbError>(EventLog::add(c, began, EventLogType::Error, "odd")?))
            .await
            .unwrap();
        for (day, removed) in [(29, 0), (30, 0), (31, 1), (32, 0)] {
            let pruning = Pruning {
                db: test.db.clone(),
                clock: Arc::new(move || began.plus(days(day))),
                retention: days(30),
            };
            let round = pruning.round(&CancellationToken::new()).await.unwrap();
            assert_eq!(round, removed, "day {day}");
        }
    }
}
