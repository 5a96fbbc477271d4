//! Promises of the dispatcher, on both databases, with a transport that follows a script
//! instead of reaching for the network, and a clock that only tests move.

mod counts;
mod destinations;
mod fate;
mod flow;
mod kept;
mod lease;
mod outcomes;
mod settling;
mod tenants;
mod trouble;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beadle_common::db::{AnyConnection, Db, DbError, Wake};
use beadle_common::id::{DeliveryId, DestinationId, EventId, WebhookId};
use beadle_common::outbox::{
    AttemptResult, Claimed, DeliveryState, Kind, NewDelivery, Payload, insert,
};
use beadle_common::schema::{attempts, deliveries, outbox};
use beadle_common::settlement::DestinationPolicy;
use beadle_common::test_support::{self, destination_policy};
use beadle_common::unix_millis::UnixMillis;
use diesel::prelude::*;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Dispatcher, Environment, Limits, Server, Transport};
use crate::core::Unsendable;
use crate::core::outcome::{ErrorClass, Exchange, Failure, FailureKind, Outcome};
use crate::core::policy::RetrySchedule;
use crate::metrics::Metrics;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

/// What the peer does with one delivery.
#[derive(Debug, Clone)]
enum Act {
    Deliver,
    Fail(FailureKind),
    Answer(Failure),
    /// Delivers once the test opens the gate.
    Wait,
    /// Fails once the test opens the gate, as a receiver that hangs does in the end.
    TimeOut,
    Hang,
    Panic,
}

/// What cannot be loaded.
#[derive(Debug, Clone)]
enum Fault {
    Unsendable(Unsendable),
    Panic,
}

struct Scripted {
    schedule: RetrySchedule,
    limit: Duration,
    destinations: Mutex<HashMap<DestinationId, Act>>,
    servers: Mutex<HashMap<DestinationId, Server>>,
    faults: Mutex<HashMap<DeliveryId, Fault>>,
    gate: Semaphore,
    sent: Mutex<Vec<(DeliveryId, i32)>>,
    flying: AtomicUsize,
    most: AtomicUsize,
    loads: AtomicUsize,
}

impl Transport for Scripted {
    const KIND: Kind = Kind::Webhook;
    type Job = Claimed;

    fn load(
        &self,
        _connection: &mut AnyConnection,
        claimed: Vec<Claimed>,
        _now: UnixMillis,
    ) -> QueryResult<Vec<(Claimed, Result<Claimed, Unsendable>)>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let faults = self.faults.lock().unwrap().clone();
        let job = |claimed: Claimed| match faults.get(&claimed.id) {
            None => (claimed.clone(), Ok(claimed)),
            Some(Fault::Unsendable(why)) => (claimed, Err(why.clone())),
            Some(Fault::Panic) => panic!("this row is poison"),
        };
        Ok(claimed.into_iter().map(job).collect())
    }

    fn weight(&self, _parcel: &Claimed) -> usize {
        1000
    }

    fn server(&self, job: &Claimed) -> Option<Server> {
        self.servers.lock().unwrap().get(&job.destination).cloned()
    }

    fn time_limit(&self, _parcel: &Claimed) -> Duration {
        self.limit
    }

    async fn send(&self, job: Claimed, _now: UnixMillis) -> Exchange {
        let act = self
            .destinations
            .lock()
            .unwrap()
            .get(&job.destination)
            .cloned();
        let _flying = Flying::new(self);
        self.sent.lock().unwrap().push((job.id, job.attempt));
        match act.unwrap_or(Act::Deliver) {
            Act::Deliver => delivered(),
            Act::Fail(kind) => Exchange::failed(
                Failure::new(ErrorClass::Http, "no\0t now")
                    .status(Some(503))
                    .kind(kind),
            ),
            Act::Answer(failure) => Exchange::failed(failure),
            Act::Wait => {
                self.gate.acquire().await.unwrap().forget();
                delivered()
            }
            Act::TimeOut => {
                self.gate.acquire().await.unwrap().forget();
                Exchange::failed(Failure::new(ErrorClass::Timeout, "no answer in time"))
            }
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("the transport is out of its mind"),
        }
    }

    fn schedule(&self) -> &RetrySchedule {
        &self.schedule
    }
}

/// Counts a attempt, however it ends.
struct Flying<'a>(&'a Scripted);

impl<'a> Flying<'a> {
    fn new(transport: &'a Scripted) -> Self {
        let flying = transport.flying.fetch_add(1, Ordering::SeqCst) + 1;
        transport.most.fetch_max(flying, Ordering::SeqCst);
        Self(transport)
    }
}

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        self.0.flying.fetch_sub(1, Ordering::SeqCst);
    }
}

fn delivered() -> Exchange {
    Exchange {
        outcome: Outcome::Delivered,
        duration: Duration::from_millis(12),
        status_code: Some(200),
        excerpt: Some("o\0k".to_owned()),
    }
}

/// A database, a transport, and maybe a dispatcher at work.
struct World {
    db: Db,
    wake: Wake,
    clock: Arc<AtomicI64>,
    transport: Arc<Scripted>,
    limits: Limits,
    policy: DestinationPolicy,
    metrics: Metrics,
    stop: CancellationToken,
}

impl World {
    fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            wake: Wake::new(db),
            clock: Arc::new(AtomicI64::new(NOW.millis())),
            transport: Arc::new(Scripted {
                schedule: RetrySchedule::new(vec![Duration::ZERO, 5 * SECOND, 300 * SECOND])
                    .unwrap(),
                limit: 20 * SECOND,
                destinations: Mutex::default(),
                servers: Mutex::default(),
                faults: Mutex::default(),
                gate: Semaphore::new(0),
                sent: Mutex::default(),
                flying: AtomicUsize::new(0),
                most: AtomicUsize::new(0),
                loads: AtomicUsize::new(0),
            }),
            limits: Limits {
                slots: 16,
                per_destination: 8,
                lease: 60 * SECOND,
                grace: 5 * SECOND,
            },
            policy: destination_policy(),
            metrics: Metrics::new().unwrap(),
            stop: CancellationToken::new(),
        }
    }

    fn surroundings(&self) -> Environment {
        let clock = Arc::clone(&self.clock);
        Environment {
            db: self.db.clone(),
            wake: self.wake.source(),
            clock: Arc::new(move || UnixMillis::from_millis(clock.load(Ordering::SeqCst))),
            jitter: Arc::new(|| 0.0),
            owner: "test".to_owned(),
            policy: self.policy.clone(),
            metrics: self.metrics.clone(),
        }
    }

    fn start(&self) -> JoinHandle<()> {
        let dispatcher = Dispatcher::new(
            Arc::clone(&self.transport),
            self.surroundings(),
            self.limits,
        );
        tokio::spawn(dispatcher.run(self.stop.clone()))
    }

    async fn stop(&self, dispatcher: JoinHandle<()>) {
        self.stop.cancel();
        dispatcher.await.unwrap();
    }

    fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.clock.load(Ordering::SeqCst))
    }

    /// Lets time pass, and whoever waits notice it.
    fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::SeqCst);
        self.wake.wake();
    }

    /// A webhook whose receiver does this.
    fn destination(&self, act: Act) -> DestinationId {
        let webhook = test_support::webhook(WebhookId::random(), Vec::new());
        let destination = webhook.id.into();
        self.write(move |c| webhook.insert(c));
        self.act(destination, act);
        destination
    }

    fn act(&self, destination: DestinationId, act: Act) {
        self.transport
            .destinations
            .lock()
            .unwrap()
            .insert(destination, act);
    }

    fn fault(&self, id: DeliveryId, fault: Fault) {
        self.transport.faults.lock().unwrap().insert(id, fault);
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> T {
        let work = move |c: &mut AnyConnection| Ok::<_, DbError>(work(c)?);
        tokio::task::block_in_place(|| self.db.write_blocking(work)).unwrap()
    }

    fn read<T>(&self, work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>) -> T {
        let work = |c: &mut AnyConnection| Ok::<_, DbError>(work(c)?);
        tokio::task::block_in_place(|| self.db.read_blocking(work)).unwrap()
    }

    fn add(&self, destination: DestinationId) -> DeliveryId {
        self.add_many(destination, 1)[0]
    }

    /// Without a wake-up.
    fn add_many(&self, destination: DestinationId, count: usize) -> Vec<DeliveryId> {
        let new = |_| NewDelivery {
            id: DeliveryId::sequential(),
            destination,
            payload: Payload::Webhook(EventId::sequential()),
            due_at: self.now(),
            insert_instant: self.now(),
        };
        let new: Vec<NewDelivery> = (0..count).map(new).collect();
        let ids = new.iter().map(|delivery| delivery.id).collect();
        self.write(move |c| new.iter().try_for_each(|delivery| insert(c, delivery)));
        ids
    }

    fn sent(&self) -> Vec<(DeliveryId, i32)> {
        self.transport.sent.lock().unwrap().clone()
    }

    fn flying(&self) -> usize {
        self.transport.flying.load(Ordering::SeqCst)
    }

    fn open_gate(&self, times: usize) {
        self.transport.gate.add_permits(times);
    }

    /// What became of a delivery that left the outbox: its state and attempts.
    fn fate(&self, id: DeliveryId) -> Option<(DeliveryState, i32)> {
        self.read(|c| {
            deliveries::table
                .find(id)
                .select((deliveries::state, deliveries::attempt))
                .first(c)
                .optional()
        })
    }

    async fn fate_of(&self, id: DeliveryId) -> (DeliveryState, i32) {
        until("it is settled", || self.fate(id).is_some()).await;
        self.fate(id).unwrap()
    }

    /// The earlier attempts of a delivery.
    fn attempts(&self, id: DeliveryId) -> Vec<(i32, AttemptResult)> {
        self.read(|c| {
            attempts::table
                .filter(attempts::delivery_id.eq(id))
                .order(attempts::number)
                .select((attempts::number, attempts::result))
                .load(c)
        })
    }

    /// A delivery that is in the outbox: attempts made, when it is due, if it is leased.
    fn owed(&self, id: DeliveryId) -> Option<(i32, UnixMillis, bool)> {
        self.read(|c| {
            outbox::table
                .find(id)
                .select((
                    outbox::attempt,
                    outbox::due_at,
                    outbox::lease_token.is_not_null(),
                ))
                .first(c)
                .optional()
        })
    }

    async fn until_pending(&self, id: DeliveryId, attempt: i32) -> UnixMillis {
        until("it is pending again", || {
            self.owed(id)
                .is_some_and(|(made, _, leased)| made == attempt && !leased)
        })
        .await;
        self.owed(id).unwrap().1
    }
}

/// Waits for something that has to happen soon.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..4000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("in vain: {what}");
}

/// `on_both_databases!` for `async fn name(world: World)`.
macro_rules! both_databases {
    ($($name:ident),+ $(,)?) => {
        beadle_common::on_both_databases!(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async |test| $crate::dispatcher::tests::World::new(&test.db); $($name),+
        );
    };
}
use both_databases;
