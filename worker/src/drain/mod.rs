//! The drain: claims what is due, has it sent, settles how it went.
//!
//! One for each kind of delivery, so that neither waits for the other. What is
//! particular to a kind is its [`Courier`].

mod flight;
mod settler;
mod slots;

use std::sync::Arc;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use beadle_common::db::{AnyConnection, Db, DbError, WakeSource};
use beadle_common::instant::Instant;
use beadle_common::outbox::{ClaimRequest, Claimed, Kind, Lanes, claim, next_due};
use diesel::QueryResult;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use flight::Unsendable;
use flight::{Flight, Landing};
use settler::Settler;
use slots::Slots;

use crate::outcome::Exchange;
use crate::policy::RetrySchedule;

/// The net under the wake-ups: how long work may lie unseen at most.
const POLL: Duration = Duration::from_secs(1);

/// Rows of one claim at most. More share a round trip, but all wait for the last.
const BATCH: usize = 128;

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// A number from 0 to 1, new on each call.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Claimed deliveries, each with what is needed to send it or why it cannot be sent.
pub type Loaded<P> = Vec<(Claimed, Result<P, Unsendable>)>;

/// What is particular to one kind of delivery.
pub trait Courier: Send + Sync + 'static {
    /// Which kind.
    const KIND: Kind;

    /// A delivery with everything needed to send it.
    type Parcel: Send + 'static;

    /// Loads what the claimed deliveries need.
    ///
    /// # Errors
    /// Those of the database. What is wrong with one delivery is told of that one.
    fn load(
        &self,
        connection: &mut AnyConnection,
        claimed: Vec<Claimed>,
        now: Instant,
    ) -> QueryResult<Loaded<Self::Parcel>>;

    /// How long [`Courier::send`] takes at most.
    fn time_limit(&self, parcel: &Self::Parcel) -> Duration;

    /// Makes one attempt.
    fn send(&self, parcel: Self::Parcel, now: Instant) -> impl Future<Output = Exchange> + Send;

    /// When to try again.
    fn schedule(&self) -> &RetrySchedule;
}

/// How much at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In flight in all.
    pub slots: usize,
    /// In flight in one lane.
    pub per_lane: usize,
    /// How long a claim holds.
    pub lease: Duration,
    /// How long flights may take to land when the process stops.
    pub grace: Duration,
}

/// What drains need to know of the world.
#[derive(Clone)]
pub struct Surroundings {
    /// The database.
    pub db: Db,
    /// Wake-ups.
    pub wake: WakeSource,
    /// The clock.
    pub clock: Clock,
    /// Randomness for retries.
    pub jitter: Jitter,
    /// The name of this worker, for operators.
    pub owner: String,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings")
            .field("db", &self.db)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// Drains one kind of delivery.
#[derive(Debug)]
pub struct Drain<C> {
    courier: Arc<C>,
    around: Surroundings,
    limits: Limits,
    slots: Arc<Slots>,
    flights: TaskTracker,
    /// Ends flights that have not landed within the grace period.
    cut: CancellationToken,
}

/// What one look at the outbox found.
enum Look {
    /// All that was due is in flight.
    Clear,
    /// There may be more that is due: look again as soon as there is room.
    More,
}

impl<C: Courier> Drain<C> {
    /// A drain that has not begun.
    #[must_use]
    pub fn new(courier: Arc<C>, around: Surroundings, limits: Limits) -> Self {
        Self {
            slots: Arc::new(Slots::new(limits.slots, limits.per_lane)),
            courier,
            around,
            limits,
            flights: TaskTracker::new(),
            cut: CancellationToken::new(),
        }
    }

    /// Drains until `stop`, then lets what is in flight land.
    pub async fn run(self, stop: CancellationToken) {
        let (settler, landings) = Settler::new(self.around.db.clone(), self.around.clock.clone());
        let settling = tokio::spawn(settler.run());
        self.watch(&landings, &stop).await;
        self.finish().await;
        // The settler ends when the last sender is gone and everything is written.
        drop(landings);
        if let Err(error) = settling.await {
            tracing::error!("the settler failed: {error}");
        }
    }

    async fn watch(&self, landings: &mpsc::Sender<Landing>, stop: &CancellationToken) {
        let mut pause = pause_after_errors();
        while !stop.is_cancelled() {
            // Both before looking, so that nothing falls between the look and the wait.
            let woken = self.around.wake.subscribe();
            let room = self.slots.room();
            let wait = match self.look(landings).await {
                Ok(Look::More) if self.slots.free() > 0 => Duration::ZERO,
                Ok(Look::More) => POLL,
                Ok(Look::Clear) => self.until_next_due().await,
                Err(error) => {
                    tracing::warn!("cannot claim deliveries: {error}");
                    let wait = pause.next_backoff().unwrap_or(POLL);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                    continue;
                }
            };
            pause.reset();
            if wait.is_zero() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => {}
                () = room => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Claims what there is room for and lets it fly.
    async fn look(&self, landings: &mpsc::Sender<Landing>) -> Result<Look, DbError> {
        let limit = self.slots.free().min(BATCH);
        if limit == 0 {
            self.slots.want_room();
            return Ok(Look::More);
        }
        let (skip, per_lane) = self.slots.saturated();
        let any_saturated = !skip.is_empty();
        let now = (self.around.clock)();
        let request = ClaimRequest {
            kind: C::KIND,
            now,
            lease_end: now.plus(self.limits.lease),
            owner: self.around.owner.clone(),
            limit,
            per_lane,
            lanes: Lanes::AllBut(skip),
        };
        let lease_end = request.lease_end;
        let courier = Arc::clone(&self.courier);
        let loaded = self
            .around
            .db
            .write(move |connection| {
                let claimed = claim(connection, &request)?;
                Ok::<_, DbError>(courier.load(connection, claimed, now)?)
            })
            .await?;
        let count = loaded.len();
        let mut lanes = std::collections::HashMap::<_, usize>::new();
        for (claimed, parcel) in loaded {
            *lanes.entry(claimed.lane).or_default() += 1;
            let flight = Flight {
                slot: self.slots.take(claimed.lane),
                courier: Arc::clone(&self.courier),
                clock: self.around.clock.clone(),
                jitter: self.around.jitter.clone(),
                lease_end,
                claimed,
                cut: self.cut.clone(),
            };
            self.flights.spawn(flight.fly(parcel, landings.clone()));
        }
        let cut_short = count >= limit || lanes.values().any(|count| *count >= per_lane);
        if any_saturated || cut_short {
            self.slots.want_room();
        }
        Ok(if cut_short { Look::More } else { Look::Clear })
    }

    async fn until_next_due(&self) -> Duration {
        let (skip, _) = self.slots.saturated();
        let next = self
            .around
            .db
            .read(move |connection| Ok::<_, DbError>(next_due(connection, C::KIND, &skip)?))
            .await;
        let now = (self.around.clock)();
        match next {
            Ok(Some(due)) => due.since(now).min(POLL),
            // The next claim will say what is wrong.
            Ok(None) | Err(_) => POLL,
        }
    }

    /// Waits for what is in flight; what takes too long is cut off and tried again later.
    async fn finish(&self) {
        self.flights.close();
        if tokio::time::timeout(self.limits.grace, self.flights.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                in_flight = self.flights.len(),
                "cutting off what did not finish within the grace period"
            );
            self.cut.cancel();
            self.flights.wait().await;
        }
    }
}

/// From a tenth of a second to five seconds, for ever.
fn pause_after_errors() -> ExponentialBackoff {
    ExponentialBackoff {
        initial_interval: Duration::from_millis(100),
        max_interval: Duration::from_secs(5),
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    }
}
