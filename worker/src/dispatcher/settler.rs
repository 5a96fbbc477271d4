//! Writes how attempts went: in one batch, all that have finished in the meantime.

use std::sync::Arc;
use std::time::Duration;

use backoff::backoff::Backoff;
use beadle_common::db::{Db, DbError};
use beadle_common::outbox::{
    DestinationEvent, Disposition, Kind, Settled, Settlement, settle_plain,
};
use beadle_common::settlement::{DestinationPolicy, settle};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::attempt::AttemptDone;
use super::destination_log::log;
use super::retry_queue::RetryQueue;
use super::{Environment, POLL, pause_after_errors};
use crate::core::Clock;
use crate::metrics::Metrics;

/// Settlements that share a transaction at most.
const BATCH: usize = 512;

/// Batches begin no sooner one after the other. A statement costs the same for one row as for
/// twenty, and nobody waits for a success to be settled; but each moment that it is not,
/// whatever ends this process makes it arrive twice.
const PACE: Duration = Duration::from_millis(5);

/// A settle that takes longer has claims stop: the database may hold it up for longer than the leases
/// last, and whoever claims then sends again what has arrived.
pub(super) const SLOW_SETTLE: Duration = Duration::from_secs(2);

/// Finished attempts that may wait to be settled. When the database is slow, attempts wait here with their
/// slots, so that no more is claimed than can be settled.
const QUEUE: usize = 1024;

pub(super) struct Settler {
    kind: Kind,
    db: Db,
    clock: Clock,
    policy: DestinationPolicy,
    metrics: Metrics,
    pub(super) done: mpsc::Receiver<AttemptDone>,
    behind: watch::Sender<bool>,
    due_soon: Arc<Notify>,
}

/// The dispatcher's handle on its settler.
pub(super) struct SettlerHandle {
    pub(super) done: mpsc::Sender<AttemptDone>,
    /// What has finished cannot be written. Whoever claims now may send again what is
    /// delivered already, and waits to be settled.
    pub(super) behind: watch::Receiver<bool>,
    /// Something has been settled that is due again before anybody would look.
    pub(super) due_soon: Arc<Notify>,
}

impl Settler {
    pub(super) fn new(kind: Kind, around: &Environment) -> (Self, SettlerHandle) {
        let (sender, done) = mpsc::channel(QUEUE);
        let (behind, is_behind) = watch::channel(false);
        let due_soon = Arc::new(Notify::new());
        let settler = Self {
            kind,
            db: around.db.clone(),
            clock: around.clock.clone(),
            policy: around.policy.clone(),
            metrics: around.metrics.clone(),
            done,
            behind,
            due_soon: Arc::clone(&due_soon),
        };
        let ledger = SettlerHandle {
            done: sender,
            behind: is_behind,
            due_soon,
        };
        (settler, ledger)
    }

    /// Ends when every sender is gone and everything is written that the database takes.
    pub(super) async fn run(mut self) {
        let mut refused = RetryQueue::new();
        let mut batch = Vec::new();
        let mut not_before = Instant::now();
        loop {
            tokio::select! {
                taken = self.done.recv_many(&mut batch, BATCH) => if taken == 0 {
                    break;
                },
                () = refused.due() => {
                    self.try_again(&mut refused).await;
                    self.tell_if_behind(&refused);
                    continue;
                }
            }
            if Instant::now() < not_before {
                tokio::time::sleep_until(not_before).await;
                self.take_what_waits(&mut batch);
            }
            not_before = Instant::now() + PACE;
            let batch = std::mem::take(&mut batch);
            let wanted = batch.len();
            let not_written = self.write(batch).await;
            refused.take(not_written, wanted);
            self.tell_if_behind(&refused);
        }
        for done in refused.into_all() {
            self.settle_one(&done).await.unwrap_or_else(|error| {
                tell_of_loss(&done, Some(&error));
            });
        }
    }

    /// Once it is, it stays so until there is nothing left to be written.
    fn tell_if_behind(&self, refused: &RetryQueue) {
        if refused.are_too_many() {
            self.behind.send_replace(true);
        } else if self.done.is_empty() {
            self.behind.send_replace(false);
        }
    }

    fn take_what_waits(&mut self, batch: &mut Vec<AttemptDone>) {
        while batch.len() < BATCH
            && let Ok(done) = self.done.try_recv()
        {
            batch.push(done);
        }
    }

    /// Writes a batch, and waits for a database that is away for as long as that takes. A
    /// lease that has lapsed meanwhile is no reason to give up: as long as nobody else has
    /// claimed the row, the token is good. Returns what the database refused, of which
    /// nothing has been written.
    pub(super) async fn write(&self, mut batch: Vec<AttemptDone>) -> Vec<AttemptDone> {
        let mut pause = pause_after_errors();
        let mut refused = Vec::new();
        loop {
            let settled = match self.watched(self.settle_all(&mut batch)).await {
                Err(error) if !may_pass(&error) => {
                    tracing::error!("settling a batch failed, trying one by one: {error}");
                    self.one_by_one(&mut batch, &mut refused).await
                }
                settled => settled,
            };
            let Err(error) = settled else {
                return refused;
            };
            tracing::warn!("cannot settle deliveries yet: {error}");
            self.behind.send_replace(true);
            let wait = pause.next_backoff().unwrap_or(POLL);
            tokio::time::sleep(wait).await;
        }
    }

    /// Has claims stop while this takes long.
    async fn watched<T>(&self, settling: impl Future<Output = T>) -> T {
        let mut settling = std::pin::pin!(settling);
        if let Ok(settled) = tokio::time::timeout(SLOW_SETTLE, &mut settling).await {
            return settled;
        }
        tracing::warn!(
            "settling deliveries has taken {SLOW_SETTLE:?} already: nothing is claimed until it is done"
        );
        self.behind.send_replace(true);
        settling.await
    }

    /// One that the database refuses must not cost the others their settlement. Fails when
    /// each of those that are left would wait for the database in vain.
    async fn one_by_one(
        &self,
        batch: &mut Vec<AttemptDone>,
        refused: &mut Vec<AttemptDone>,
    ) -> Result<(), DbError> {
        // The order is that in which the attempts ended.
        batch.reverse();
        while let Some(done) = batch.pop() {
            match self.settle_one(&done).await {
                Ok(()) => {}
                Err(error) if may_pass(&error) => {
                    batch.push(done);
                    batch.reverse();
                    return Err(error);
                }
                Err(error) => {
                    tracing::error!(
                        delivery.id = %done.settlement.id,
                        "a delivery could not be settled: {error}"
                    );
                    refused.push(done);
                }
            }
        }
        Ok(())
    }

    /// Tries again what was refused, until something still is.
    async fn try_again(&self, refused: &mut RetryQueue) {
        for done in refused.give_up((self.clock)()) {
            tell_of_loss(&done, None);
        }
        while let Some(done) = refused.next() {
            match self.settle_one(&done).await {
                Ok(()) => refused.has_been_written(),
                Err(error) => {
                    tracing::debug!(
                        delivery.id = %done.settlement.id,
                        "a delivery still could not be settled: {error}"
                    );
                    return refused.put_back(done);
                }
            }
        }
    }

    /// First what takes the least, which is most. What has been written is not in the batch
    /// any more, even if something else could not be.
    pub(super) async fn settle_all(&self, batch: &mut Vec<AttemptDone>) -> Result<(), DbError> {
        let done = settle_plain(&self.db, &settlements(batch)).await?;
        if !done.is_empty() {
            let is_done = |attempt: &mut AttemptDone| {
                let settlement = &attempt.settlement;
                done.contains(&(settlement.id, settlement.token))
            };
            let plain: Vec<AttemptDone> = batch.extract_if(.., is_done).collect();
            let settled = Settled {
                rows: plain.len(),
                ..Settled::default()
            };
            let plain = settlements(&plain);
            self.metrics.settled(self.kind, &plain, &settled);
        }
        match batch.is_empty() {
            true => Ok(()),
            false => self.settle(settlements(batch)).await,
        }
    }

    async fn settle_one(&self, done: &AttemptDone) -> Result<(), DbError> {
        self.watched(self.settle(vec![done.settlement.clone()]))
            .await
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<(), DbError> {
        let wanted = settlements.len();
        let policy = self.policy.clone();
        let (settlements, settled) = self
            .db
            .write(move |connection| {
                let settled = settle(connection, &settlements, &policy)?;
                Ok::<_, DbError>((settlements, settled))
            })
            .await?;
        self.metrics.settled(self.kind, &settlements, &settled);
        for (destination, happening) in &settled.happenings {
            log(*destination, *happening);
        }
        if settled.rows < wanted {
            tracing::warn!(
                lost = wanted - settled.rows,
                "leases lapsed before their deliveries were settled; they may arrive twice"
            );
        }
        let soon = (self.clock)().plus(POLL);
        let is_soon = |settlement: &Settlement| match settlement.disposition {
            Disposition::Finished(_) | Disposition::Hold => false,
            Disposition::Retry { at } | Disposition::Release { at } => at < soon,
        };
        // A destination that works again may have more that is due, and so may one whose probe
        // told nothing.
        let reopened = settled
            .happenings
            .iter()
            .any(|(_, h)| *h == DestinationEvent::CircuitClosed);
        if reopened || settled.freed > 0 || settlements.iter().any(is_soon) {
            self.due_soon.notify_one();
        }
        Ok(())
    }
}

pub(super) fn settlements(batch: &[AttemptDone]) -> Vec<Settlement> {
    let settlement = |done: &AttemptDone| done.settlement.clone();
    batch.iter().map(settlement).collect()
}

fn tell_of_loss(done: &AttemptDone, error: Option<&DbError>) {
    tracing::error!(
        delivery.id = %done.settlement.id,
        error = error.map(tracing::field::display),
        "the database has not taken how a delivery went; it may arrive twice"
    );
}

/// Whether the same may succeed later, whatever is in the batch.
fn may_pass(error: &DbError) -> bool {
    matches!(
        error,
        DbError::Unavailable(_) | DbError::Conflict(_) | DbError::Locked(_)
    )
}

/// How long to wait for the settler once everything has finished and the process stops:
/// a database that does not come back must not keep it alive.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(10);
