//! Writes how flights went, as many at a time as have landed.

use std::sync::Arc;
use std::time::Duration;

use backoff::backoff::Backoff;
use beadle_common::db::{Db, DbError};
use beadle_common::outbox::{
    Happening, Kind, LanePolicy, Settled, Settlement, Verdict, settle, settle_plain,
};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::flight::Landing;
use super::happening::tell;
use super::{Clock, POLL, Surroundings, pause_after_errors};
use crate::metrics::Metrics;

/// Settlements that share a transaction at most.
const BATCH: usize = 512;

/// Batches begin no sooner one after the other. A statement costs the same for one row as for
/// twenty, and nobody waits for a success to be settled; but each moment that it is not,
/// whatever ends this process makes it arrive twice.
const PACE: Duration = Duration::from_millis(5);

/// Landings that may wait. When the database is slow, flights wait here with their
/// slots, so that no more is claimed than can be settled.
const QUEUE: usize = 1024;

pub(super) struct Settler {
    kind: Kind,
    db: Db,
    clock: Clock,
    policy: LanePolicy,
    metrics: Metrics,
    pub(super) landings: mpsc::Receiver<Landing>,
    behind: watch::Sender<bool>,
    due_soon: Arc<Notify>,
}

/// What the drain holds of its settler.
pub(super) struct Ledger {
    pub(super) landings: mpsc::Sender<Landing>,
    /// What has landed cannot be written. Whoever claims now may send again what is
    /// delivered already, and waits to be settled.
    pub(super) behind: watch::Receiver<bool>,
    /// Something has been settled that is due again before anybody would look.
    pub(super) due_soon: Arc<Notify>,
}

impl Settler {
    pub(super) fn new(kind: Kind, around: &Surroundings) -> (Self, Ledger) {
        let (sender, landings) = mpsc::channel(QUEUE);
        let (behind, is_behind) = watch::channel(false);
        let due_soon = Arc::new(Notify::new());
        let settler = Self {
            kind,
            db: around.db.clone(),
            clock: around.clock.clone(),
            policy: around.policy.clone(),
            metrics: around.metrics.clone(),
            landings,
            behind,
            due_soon: Arc::clone(&due_soon),
        };
        let ledger = Ledger {
            landings: sender,
            behind: is_behind,
            due_soon,
        };
        (settler, ledger)
    }

    /// Ends when every sender is gone and everything is written.
    pub(super) async fn run(mut self) {
        let mut batch = Vec::new();
        let mut not_before = Instant::now();
        while self.landings.recv_many(&mut batch, BATCH).await > 0 {
            if Instant::now() < not_before {
                tokio::time::sleep_until(not_before).await;
                self.take_what_waits(&mut batch);
            }
            not_before = Instant::now() + PACE;
            self.write(std::mem::take(&mut batch)).await;
            if self.landings.is_empty() {
                self.behind.send_replace(false);
            }
        }
    }

    fn take_what_waits(&mut self, batch: &mut Vec<Landing>) {
        while batch.len() < BATCH
            && let Ok(landing) = self.landings.try_recv()
        {
            batch.push(landing);
        }
    }

    /// Writes a batch, however often it takes. A lease that has lapsed meanwhile is no
    /// reason to give up: as long as nobody else has claimed the row, the token is good.
    pub(super) async fn write(&self, mut batch: Vec<Landing>) {
        let mut pause = pause_after_errors();
        loop {
            let wanted = batch.len();
            let error = match self.settle_all(&mut batch).await {
                Ok(()) => return,
                Err(error) => error,
            };
            if may_pass(&error) {
                tracing::warn!("cannot settle deliveries yet: {error}");
            } else {
                tracing::error!("settling a batch failed, trying one by one: {error}");
                let any_written = batch.len() < wanted;
                batch = self.one_by_one(batch, any_written).await;
                // What the database refuses for good must not keep the others waiting.
                let now = (self.clock)();
                batch.retain(|landing| landing.lease_end > now);
            }
            if batch.is_empty() {
                return;
            }
            self.behind.send_replace(true);
            let wait = pause.next_backoff().unwrap_or(POLL);
            tokio::time::sleep(wait).await;
        }
    }

    /// One that the database refuses must not cost the others their settlement. Returns
    /// what is to be tried again: all that failed, if none could be written, now or before.
    async fn one_by_one(&self, batch: Vec<Landing>, mut any_written: bool) -> Vec<Landing> {
        let mut batch = batch.into_iter();
        let mut failed = Vec::new();
        while let Some(landing) = batch.next() {
            match self.settle(std::slice::from_ref(&landing)).await {
                Ok(()) => any_written = true,
                // Each of the others would wait for the database in vain.
                Err(error) if may_pass(&error) => {
                    return failed.into_iter().chain([landing]).chain(batch).collect();
                }
                Err(error) => {
                    tracing::error!(
                        delivery.id = %landing.settlement.id,
                        "a delivery could not be settled: {error}"
                    );
                    failed.push(landing);
                }
            }
        }
        // If others could be written, it is the row's own fault, and its lease may lapse.
        match any_written {
            true => Vec::new(),
            false => failed,
        }
    }

    /// First what takes the least, which is most. What has been written is not in the batch
    /// any more, even if something else could not be.
    pub(super) async fn settle_all(&self, batch: &mut Vec<Landing>) -> Result<(), DbError> {
        let done = settle_plain(&self.db, &settlements(batch)).await?;
        if !done.is_empty() {
            let is_done = |landing: &mut Landing| {
                let settlement = &landing.settlement;
                done.contains(&(settlement.id, settlement.token))
            };
            let plain: Vec<Landing> = batch.extract_if(.., is_done).collect();
            let settled = Settled {
                rows: plain.len(),
                ..Settled::default()
            };
            let plain = settlements(&plain);
            self.metrics.settled(self.kind, &plain, &settled);
        }
        match batch.is_empty() {
            true => Ok(()),
            false => self.settle(batch).await,
        }
    }

    async fn settle(&self, batch: &[Landing]) -> Result<(), DbError> {
        let settlements = settlements(batch);
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
        for (lane, happening) in &settled.happenings {
            tell(*lane, *happening);
        }
        if settled.rows < wanted {
            tracing::warn!(
                lost = wanted - settled.rows,
                "leases lapsed before their deliveries were settled; they may arrive twice"
            );
        }
        let soon = (self.clock)().plus(POLL);
        let is_soon = |landing: &Landing| match landing.settlement.verdict {
            Verdict::Finished(_) | Verdict::Hold => false,
            Verdict::Retry { at } | Verdict::HandBack { at } => at < soon,
        };
        // A lane that works again may have more that is due, and so may one whose probe
        // told nothing.
        let reopened = settled
            .happenings
            .iter()
            .any(|(_, h)| *h == Happening::CircuitClosed);
        if reopened || settled.freed > 0 || batch.iter().any(is_soon) {
            self.due_soon.notify_one();
        }
        Ok(())
    }
}

pub(super) fn settlements(batch: &[Landing]) -> Vec<Settlement> {
    let settlement = |landing: &Landing| landing.settlement.clone();
    batch.iter().map(settlement).collect()
}

/// Whether the same may succeed later, whatever is in the batch.
fn may_pass(error: &DbError) -> bool {
    matches!(error, DbError::Unavailable(_) | DbError::Conflict(_))
}

/// How long to wait for the settler once everything has landed and the process stops:
/// a database that does not come back must not keep it alive.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(10);
