//! Writes how flights went, as many at a time as have landed.

use std::time::Duration;

use backoff::backoff::Backoff;
use beadle_common::db::{Db, DbError};
use beadle_common::outbox::{Settlement, settle};
use tokio::sync::mpsc;

use super::flight::Landing;
use super::{Clock, pause_after_errors};

/// Settlements that share a transaction at most.
const BATCH: usize = 512;

/// Landings that may wait. When the database is slow, flights wait here with their
/// slots, so that no more is claimed than can be settled.
const QUEUE: usize = 1024;

pub(super) struct Settler {
    db: Db,
    clock: Clock,
    landings: mpsc::Receiver<Landing>,
}

impl Settler {
    pub(super) fn new(db: Db, clock: Clock) -> (Self, mpsc::Sender<Landing>) {
        let (sender, landings) = mpsc::channel(QUEUE);
        let settler = Self {
            db,
            clock,
            landings,
        };
        (settler, sender)
    }

    /// Ends when every sender is gone and everything is written.
    pub(super) async fn run(mut self) {
        let mut batch = Vec::new();
        while self.landings.recv_many(&mut batch, BATCH).await > 0 {
            self.write(std::mem::take(&mut batch)).await;
        }
    }

    /// Writes a batch, however often it takes, as long as the leases hold: after that
    /// the deliveries are somebody else's.
    async fn write(&self, mut batch: Vec<Landing>) {
        let mut pause = pause_after_errors();
        loop {
            match self.settle(&batch).await {
                Ok(()) => return,
                Err(DbError::Query(error)) => {
                    tracing::error!("settling a batch failed, trying one by one: {error}");
                    return self.one_by_one(batch).await;
                }
                Err(error) => tracing::warn!("cannot settle deliveries yet: {error}"),
            }
            let wait = pause.next_backoff().unwrap_or(Duration::from_secs(5));
            tokio::time::sleep(wait).await;
            let now = (self.clock)();
            batch.retain(|landing| landing.lease_end > now);
            if batch.is_empty() {
                return;
            }
        }
    }

    /// One that the database refuses must not cost the others their settlement.
    async fn one_by_one(&self, batch: Vec<Landing>) {
        for landing in batch {
            if let Err(error) = self.settle(std::slice::from_ref(&landing)).await {
                tracing::error!(
                    delivery.id = %landing.settlement.id,
                    "a delivery could not be settled and will be tried again: {error}"
                );
            }
        }
    }

    async fn settle(&self, batch: &[Landing]) -> Result<(), DbError> {
        let settlements: Vec<Settlement> = batch
            .iter()
            .map(|landing| landing.settlement.clone())
            .collect();
        let wanted = settlements.len();
        let settled = self
            .db
            .write(move |connection| Ok::<_, DbError>(settle(connection, &settlements)?))
            .await?;
        if settled < wanted {
            tracing::warn!(
                lost = wanted - settled,
                "leases lapsed before their deliveries were settled; they may arrive twice"
            );
        }
        Ok(())
    }
}
