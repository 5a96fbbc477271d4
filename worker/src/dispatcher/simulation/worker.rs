//! A worker that is driven: the real dispatcher and the real settler, one step at a time.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use beadle_common::db::{Db, DbError, QueryError, Wake};
use beadle_common::outbox::{Kind, Settlement};
use beadle_common::settlement::settle;

use super::receivers::{Receivers, Scripted};
use crate::core::policy::RetrySchedule;
use crate::dispatcher::attempt::AttemptDone;
use crate::dispatcher::poll_once::PollResult;
use crate::dispatcher::settler::{Settler, SettlerHandle, settlements};
use crate::dispatcher::{Dispatcher, Environment, Limits};
use crate::metrics::Metrics;

pub(super) struct SimWorker {
    number: u32,
    dispatcher: Dispatcher<Scripted>,
    settler: Settler,
    ledger: SettlerHandle,
    around: Environment,
    /// What it has taken up to be written, and not written yet.
    taken_up: Vec<AttemptDone>,
    /// It does nothing until then (milliseconds since the start).
    pub(super) frozen_until: i64,
    /// It has looked, and nothing has happened since.
    pub(super) idle: bool,
}

impl SimWorker {
    pub(super) fn start(
        number: u32,
        receivers: &Arc<Mutex<Receivers>>,
        around: &Environment,
        limits: Limits,
    ) -> Self {
        let transport = Scripted {
            worker: number,
            receivers: Arc::clone(receivers),
            dead: false.into(),
            schedule: RetrySchedule::webhook(),
        };
        let around = Environment {
            owner: format!("worker-{number}"),
            ..around.clone()
        };
        let (settler, ledger) = Settler::new(Kind::Webhook, &around);
        Self {
            number,
            dispatcher: Dispatcher::new(Arc::new(transport), around.clone(), limits),
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

    /// Claims deliveries and starts their attempts.
    pub(super) async fn poll_once(&self) -> Result<PollResult, DbError> {
        let look = self.dispatcher.poll_once(&self.ledger.done).await?;
        self.calm().await;
        Ok(look)
    }

    /// Claims, and dies before anything is sent.
    pub(super) async fn poll_and_die(&self) -> Result<PollResult, DbError> {
        // Flights begin only once this task waits for something else.
        let look = self.dispatcher.poll_once(&self.ledger.done).await?;
        self.die();
        Ok(look)
    }

    pub(super) fn die(&self) {
        self.dispatcher.transport.dead.store(true, Ordering::SeqCst);
        let mut receivers = self.dispatcher.transport.receivers.lock().unwrap();
        receivers
            .air
            .retain(|attempt| attempt.worker != self.number);
    }

    /// Waits until its attempts are on their way or have finished.
    pub(super) async fn calm(&self) {
        let flying = || {
            let mut receivers = self.dispatcher.transport.receivers.lock().unwrap();
            receivers.flying(self.number)
        };
        while self.dispatcher.attempts.len() > flying() {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn has_to_settle(&self) -> bool {
        !self.taken_up.is_empty() || !self.settler.done.is_empty()
    }

    fn take_up(&mut self) {
        while let Ok(done) = self.settler.done.try_recv() {
            self.taken_up.push(done);
        }
    }

    /// Writes what has finished, and returns it.
    pub(super) async fn settle(&mut self) -> Vec<Settlement> {
        self.take_up();
        let mut batch = std::mem::take(&mut self.taken_up);
        let settlements = settlements(&batch);
        // Not by way of the net that is under it: nothing here is to fail.
        self.settler.settle_all(&mut batch).await.unwrap();
        settlements
    }

    /// Writes what has finished, but for the commit.
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
        self.dispatcher.finish(&self.ledger.done).await;
    }

    /// How long until it would look again by itself, in milliseconds.
    pub(super) async fn rests(&self) -> Option<i64> {
        let rest = self.dispatcher.next_due_in().await;
        i64::try_from(rest.as_millis()).ok()
    }
}

/// What is the same for all workers.
pub(super) fn surroundings(
    db: &Db,
    clock: crate::dispatcher::Clock,
    jitter: crate::dispatcher::Jitter,
) -> Environment {
    Environment {
        db: db.with_generic_plans(),
        wake: Wake::new(db).source(),
        clock,
        jitter,
        owner: String::new(),
        policy: beadle_common::test_support::destination_policy(),
        metrics: Metrics::new().unwrap(),
    }
}
