//! A worker that is driven: the real drain and the real settler, one step at a time.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use beadle_common::db::{Db, DbError, QueryError, Wake};
use beadle_common::outbox::{Kind, Settlement, settle};

use super::receivers::{Receivers, Scripted};
use crate::drain::flight::Landing;
use crate::drain::look::Look;
use crate::drain::settler::{Ledger, Settler, settlements};
use crate::drain::{Drain, Limits, Surroundings};
use crate::metrics::Metrics;
use crate::policy::RetrySchedule;

pub(super) struct SimWorker {
    number: u32,
    drain: Drain<Scripted>,
    settler: Settler,
    ledger: Ledger,
    around: Surroundings,
    /// What it has taken up to be written, and not written yet.
    taken_up: Vec<Landing>,
    /// It does nothing until then (milliseconds since the start).
    pub(super) frozen_until: i64,
    /// It has looked, and nothing has happened since.
    pub(super) idle: bool,
}

impl SimWorker {
    pub(super) fn start(
        number: u32,
        receivers: &Arc<Mutex<Receivers>>,
        around: &Surroundings,
        limits: Limits,
    ) -> Self {
        let courier = Scripted {
            worker: number,
            receivers: Arc::clone(receivers),
            dead: false.into(),
            schedule: RetrySchedule::webhook(),
        };
        let around = Surroundings {
            owner: format!("worker-{number}"),
            ..around.clone()
        };
        let (settler, ledger) = Settler::new(Kind::Webhook, &around);
        Self {
            number,
            drain: Drain::new(Arc::new(courier), around.clone(), limits),
            settler,
            ledger,
            around,
            taken_up: Vec::new(),
            frozen_until: 0,
            idle: false,
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Claims, and lets what was claimed fly.
    pub(super) async fn look(&self) -> Result<Look, DbError> {
        let look = self.drain.look(&self.ledger.landings).await?;
        self.calm().await;
        Ok(look)
    }

    /// Claims, and dies before anything is sent.
    pub(super) async fn look_and_die(&self) -> Result<Look, DbError> {
        // Flights begin only once this task waits for something else.
        let look = self.drain.look(&self.ledger.landings).await?;
        self.die();
        Ok(look)
    }

    pub(super) fn die(&self) {
        self.drain.courier.dead.store(true, Ordering::SeqCst);
        let mut receivers = self.drain.courier.receivers.lock().unwrap();
        receivers.air.retain(|flight| flight.worker != self.number);
    }

    /// Waits until its flights are on their way or have landed.
    pub(super) async fn calm(&self) {
        let flying = || {
            let mut receivers = self.drain.courier.receivers.lock().unwrap();
            receivers.flying(self.number)
        };
        while self.drain.flights.len() > flying() {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn has_to_settle(&self) -> bool {
        !self.taken_up.is_empty() || !self.settler.landings.is_empty()
    }

    fn take_up(&mut self) {
        while let Ok(landing) = self.settler.landings.try_recv() {
            self.taken_up.push(landing);
        }
    }

    /// Writes what has landed, and returns it.
    pub(super) async fn settle(&mut self) -> Vec<Settlement> {
        self.take_up();
        let mut batch = std::mem::take(&mut self.taken_up);
        let settlements = settlements(&batch);
        // Not by way of the net that is under it: nothing here is to fail.
        self.settler.settle_all(&mut batch).await.unwrap();
        settlements
    }

    /// Writes what has landed, but for the commit.
    pub(super) async fn settle_in_vain(&mut self) {
        self.take_up();
        let batch = settlements(&self.taken_up);
        let policy = self.around.policy.clone();
        let db: &Db = &self.around.db;
        let undone: Result<(), DbError> = db
            .write(move |connection| {
                settle(connection, &batch, &policy)?;
                Err(QueryError::RollbackTransaction.into())
            })
            .await;
        assert!(matches!(
            undone,
            Err(DbError::Query(QueryError::RollbackTransaction))
        ));
    }

    /// Stops as on SIGTERM, without time for what is in flight.
    pub(super) async fn stop(&self) {
        self.drain.finish(&self.ledger.landings).await;
    }

    /// How long until it would look again by itself, in milliseconds.
    pub(super) async fn rests(&self) -> Option<i64> {
        let rest = self.drain.next_due_in().await;
        i64::try_from(rest.as_millis()).ok()
    }
}

/// What is the same for all workers.
pub(super) fn surroundings(
    db: &Db,
    clock: crate::drain::Clock,
    jitter: crate::drain::Jitter,
) -> Surroundings {
    Surroundings {
        db: db.with_generic_plans(),
        wake: Wake::new(db).source(),
        clock,
        jitter,
        owner: String::new(),
        policy: beadle_common::test_support::destination_policy(),
        metrics: Metrics::new().unwrap(),
    }
}
