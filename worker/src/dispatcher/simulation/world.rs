//! The world: a clock, some workers, and what happens to them.

mod supply;
mod trouble;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use beadle_common::db::{AnyConnection, Db, DbError};
use beadle_common::id::{DeliveryId, DestinationId, EventId, UserId};
use beadle_common::outbox::DeliveryState;
use beadle_common::schema::{
    attempts, deliveries, destination_states, event_logs, events, outbox, webhooks,
};
use beadle_common::unix_millis::UnixMillis;
use diesel::prelude::*;

use super::Random;
use super::checks::{Checks, Log};
use super::receivers::Receivers;
use super::snapshot::Snapshot;
use super::worker::{SimWorker, surroundings};
use crate::dispatcher::{Environment, Limits};

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);
const LIMITS: Limits = Limits {
    slots: 16,
    per_destination: 8,
    lease: Duration::from_secs(60),
    grace: Duration::ZERO,
};

/// Steps in which things go wrong; after that the world only has to come to its end.
const TROUBLED: u32 = 120;

/// Nobody needs that many.
const MOST_STEPS: u32 = 20_000;

/// What goes wrong, beside the receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chaos {
    None,
    Crashes,
    /// And the clock jumps.
    Everything,
}

pub(super) struct World {
    db: Db,
    chaos: Chaos,
    random: Random,
    clock: Arc<AtomicI64>,
    receivers: Arc<Mutex<Receivers>>,
    around: Environment,
    workers: Vec<SimWorker>,
    started: u32,
    destinations: Vec<DestinationId>,
    /// Those that get each user's events in order.
    ordered: BTreeSet<DestinationId>,
    users: [UserId; 3],
    deliveries: Vec<DeliveryId>,
    events: Vec<EventId>,
    checks: Checks,
    /// What the database says, if nothing has been written since.
    known: Option<Arc<Snapshot>>,
}

impl World {
    pub(super) async fn new(db: &Db, seed: u64, chaos: Chaos) -> Self {
        let mut random = Random::new(seed);
        let clock = Arc::new(AtomicI64::new(NOW.millis()));
        let receivers = Arc::new(Mutex::new(Receivers {
            random: random.fork(),
            tempers: std::collections::BTreeMap::new(),
            elapsed: 0,
            seen: std::collections::BTreeMap::new(),
            air: Vec::new(),
            claimed: std::collections::BTreeMap::new(),
            load_trouble: if chaos == Chaos::None { 0 } else { 40 },
        }));
        let (ticking, jitter) = (Arc::clone(&clock), Mutex::new(random.fork()));
        let mut around = surroundings(
            db,
            Arc::new(move || UnixMillis::from_millis(ticking.load(Ordering::SeqCst))),
            Arc::new(move || {
                f64::from(u32::try_from(jitter.lock().unwrap().below(1001)).unwrap()) / 1000.0
            }),
        );
        around.policy.disable_after = None;
        let mut world = Self {
            db: db.clone(),
            chaos,
            clock,
            receivers,
            around,
            workers: Vec::new(),
            started: 0,
            destinations: Vec::new(),
            ordered: BTreeSet::new(),
            users: [random.id(0), random.id(0), random.id(0)],
            deliveries: Vec::new(),
            events: Vec::new(),
            checks: Checks::default(),
            known: None,
            random,
        };
        world.write(clear).await;
        world
    }

    fn employ(&mut self) -> SimWorker {
        self.started += 1;
        SimWorker::start(self.started, &self.receivers, &self.around, LIMITS)
    }

    /// Something has happened: everybody may look again.
    fn awaken(&mut self) {
        for worker in &mut self.workers {
            worker.idle = false;
        }
    }

    pub(super) fn receivers(&self) -> MutexGuard<'_, Receivers> {
        self.receivers.lock().unwrap()
    }

    pub(super) fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.clock.load(Ordering::SeqCst))
    }

    pub(super) fn elapsed(&self) -> i64 {
        self.receivers().elapsed
    }

    /// Time passes, for all and everywhere.
    pub(super) fn pass(&self, millis: i64) {
        self.receivers().elapsed += millis;
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    async fn write<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> T {
        self.known = None;
        let work = move |c: &mut AnyConnection| Ok::<_, DbError>(work(c)?);
        self.db.write(work).await.unwrap()
    }

    /// Until nothing is left to do.
    pub(super) async fn run(&mut self) {
        while self.workers.is_empty() || self.workers.len() < 3 && self.random.one_in(2) {
            let worker = self.employ();
            self.workers.push(worker);
        }
        for step in 0..MOST_STEPS {
            if self.chaos != Chaos::None && step < TROUBLED && self.random.one_in(6) {
                self.trouble().await;
                self.awaken();
            }
            if !self.act().await && !self.wait().await {
                self.check_end().await;
                return;
            }
        }
        panic!("it does not come to an end");
    }

    /// Does something that can be done now. False: there is nothing.
    async fn act(&mut self) -> bool {
        let first = self.random.index(self.workers.len());
        for turn in 0..self.workers.len() {
            let index = (first + turn) % self.workers.len();
            if self.workers[index].frozen_until > self.elapsed() {
                continue;
            }
            let (a, b) = match self.random.one_in(2) {
                true => (self.land(index).await, self.settle(index).await),
                false => (self.settle(index).await, self.land(index).await),
            };
            if a || b || self.poll_once(index).await {
                self.awaken();
                return true;
            }
            self.workers[index].idle = true;
        }
        false
    }

    /// Lets one attempt land that is due to.
    async fn land(&mut self, index: usize) -> bool {
        let number = self.workers[index].number();
        let done = {
            let mut receivers = self.receivers();
            receivers.flying(number);
            let elapsed = receivers.elapsed;
            let mut air = receivers.air.iter();
            let done = air.position(|f| f.worker == number && f.lands_at <= elapsed);
            done.map(|position| receivers.air.remove(position))
        };
        let Some(attempt) = done else {
            return false;
        };
        attempt.land();
        self.workers[index].calm().await;
        true
    }

    async fn settle(&mut self, index: usize) -> bool {
        if !self.workers[index].has_to_settle() {
            return false;
        }
        let settled = self.workers[index].settle().await;
        self.known = None;
        let snapshot = self.snapshot().await;
        self.checks.settled(&settled, &snapshot);
        self.checks.conserved(&self.deliveries, &snapshot);
        true
    }

    async fn poll_once(&mut self, index: usize) -> bool {
        if self.workers[index].idle {
            return false;
        }
        let before = self.snapshot().await;
        let worker = &self.workers[index];
        let dies = self.chaos != Chaos::None && self.random.one_in(60);
        let look = match dies {
            true => worker.poll_and_die().await,
            false => worker.poll_once().await,
        };
        let found = look.unwrap().found;
        if dies {
            self.workers[index] = self.employ();
        }
        self.check_claims(&before, found);
        found > 0
    }

    fn check_claims(&mut self, before: &Snapshot, found: usize) {
        if found > 0 {
            self.known = None;
        }
        let claimed = std::mem::take(&mut self.receivers().claimed);
        assert_eq!(claimed.len(), found, "claimed twice in one look");
        let claimed: Vec<_> = claimed.into_values().collect();
        let now = self.now();
        self.checks.claimed(&claimed, before, now, LIMITS.lease);
    }

    async fn snapshot(&mut self) -> Arc<Snapshot> {
        if let Some(known) = &self.known {
            return Arc::clone(known);
        }
        let read = |c: &mut AnyConnection| Ok::<_, DbError>(Snapshot::load(c)?);
        let snapshot = Arc::new(self.db.read(read).await.unwrap());
        self.known = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Lets time pass until something can be done. False: nothing will ever happen.
    async fn wait(&mut self) -> bool {
        let elapsed = self.elapsed();
        let mut waits = Vec::new();
        for worker in &self.workers {
            let thaws_in = worker.frozen_until - elapsed;
            let finishes = |f: &super::receivers::InFlight| f.lands_at - elapsed;
            let lands_in = {
                let receivers = self.receivers();
                let own = receivers.air.iter().filter(|f| f.worker == worker.number());
                own.map(finishes).min()
            };
            let rests = worker.rests().await;
            let settles = worker.has_to_settle().then_some(0);
            let next = [lands_in, rests, settles].into_iter().flatten().min();
            waits.extend(next.map(|next| next.max(thaws_in)));
        }
        let Some(wait) = waits.into_iter().min() else {
            return false;
        };
        self.checks.waited();
        let late = match self.random.one_in(3) {
            true => self.random.up_to(3000),
            false => 0,
        };
        self.pass(wait.max(1) + late);
        self.awaken();
        true
    }

    async fn check_end(&mut self) {
        let snapshot = self.snapshot().await;
        let seen = self.receivers().seen.clone();
        self.checks.conserved(&self.deliveries, &snapshot);
        self.checks.ended(&snapshot);
        let calm = self.chaos == Chaos::None;
        let (events, ids) = (self.events.clone(), self.deliveries.clone());
        let read = move |c: &mut AnyConnection| Ok::<_, DbError>(Log::load(c, &events, &ids)?);
        let log = self.db.read(read).await.unwrap();
        self.checks.agree(&seen, &log, &snapshot, calm);
    }

    pub(super) async fn check_all(&mut self, state: DeliveryState) {
        self.snapshot().await.all_are(&self.deliveries, state);
    }

    pub(super) async fn check_all_held(&mut self) {
        self.snapshot().await.all_held(&self.deliveries);
    }
}

fn clear(c: &mut AnyConnection) -> QueryResult<()> {
    diesel::delete(attempts::table).execute(c)?;
    diesel::delete(outbox::table).execute(c)?;
    diesel::delete(deliveries::table).execute(c)?;
    diesel::delete(destination_states::table).execute(c)?;
    diesel::delete(event_logs::table).execute(c)?;
    diesel::delete(events::table).execute(c)?;
    diesel::delete(webhooks::table).execute(c)?;
    Ok(())
}
