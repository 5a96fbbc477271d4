//! The dispatcher: claims deliveries that are due, has them sent, and settles how it went.
//!
//! One for each kind of delivery, so that neither waits for the other. What is
//! particular to a kind is its [`Transport`].

mod attempt;
mod capacity;
mod counts;
mod destination;
pub(crate) mod destination_log;
mod limiter;
mod poll_once;
mod retry_queue;
mod settler;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use beadle_common::db::{AnyConnection, Db, DbError, WakeSource};
use beadle_common::outbox::{Claimed, Kind, next_due};
use beadle_common::settlement::DestinationPolicy;
use beadle_common::unix_millis::UnixMillis;
use diesel::QueryResult;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use attempt::{AttemptDone, ClaimedJob};
use limiter::Limiter;
use poll_once::PollResult;
use settler::{LAST_WORDS, Settler, SettlerHandle};

use crate::core::outcome::Exchange;
use crate::core::policy::RetrySchedule;
use crate::core::{Clock, Jitter, Unsendable};
use crate::metrics::Metrics;

/// The net under the wake-ups: how long work may lie unseen at most.
const POLL: Duration = Duration::from_secs(1);

/// Between two polls when one after the other finds nothing, whatever wakes us: wake-ups
/// tell of all kinds, and a busy API must not have the idle ones ask at its pace.
const PACE: Duration = Duration::from_millis(5);

/// How long to leave alone what is due but cannot be claimed, as when another worker is
/// claiming it right now.
const OTHERS_TURN: Duration = Duration::from_millis(50);

/// How long nothing has to happen before the dispatcher asks when there is something to do next.
/// The answer takes as long as half a claim. While there is work to do, a wake-up comes
/// first, and it was for nothing. What is to be tried again can be late by no more than this.
const QUIET: Duration = Duration::from_millis(15);

/// Claimed deliveries, each with what is needed to send it or why it cannot be sent.
pub type Loaded<P> = Vec<(Claimed, Result<P, Unsendable>)>;

/// What several destinations lead to that takes few connections, by a name of the transport's: it gets no
/// more in flight than a destination, and its destinations take turns.
pub type Server = Arc<str>;

/// What is particular to one kind of delivery.
pub trait Transport: Send + Sync + 'static {
    /// Which kind.
    const KIND: Kind;

    /// A delivery with everything needed to send it.
    type Job: Send + 'static;

    /// Loads what the claimed deliveries need.
    ///
    /// # Errors
    /// Those of the database. What is wrong with one delivery is told of that one.
    fn load(
        &self,
        connection: &mut AnyConnection,
        claimed: Vec<Claimed>,
        now: UnixMillis,
    ) -> QueryResult<Loaded<Self::Job>>;

    /// The same from memory, if all that they need is at hand: the database need not be asked.
    /// If not, they are given back.
    ///
    /// # Errors
    /// The deliveries.
    fn at_hand(
        &self,
        claimed: Vec<Claimed>,
        _now: UnixMillis,
    ) -> Result<Loaded<Self::Job>, Vec<Claimed>> {
        Err(claimed)
    }

    /// About how many bytes of memory it takes up until it is sent.
    fn weight(&self, job: &Self::Job) -> usize;

    /// What it shares with other destinations, if anything.
    fn server(&self, _parcel: &Self::Job) -> Option<Server> {
        None
    }

    /// How long [`Transport::send`] takes at most.
    fn time_limit(&self, job: &Self::Job) -> Duration;

    /// Makes one attempt.
    fn send(&self, job: Self::Job, now: UnixMillis) -> impl Future<Output = Exchange> + Send;

    /// When to try again.
    fn schedule(&self) -> &RetrySchedule;
}

/// How much at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In flight in all.
    pub slots: usize,
    /// In flight in one destination.
    pub per_destination: usize,
    /// How long a claim holds.
    pub lease: Duration,
    /// How long attempts may take to finish when the process stops.
    pub grace: Duration,
}

/// What dispatchers need to know of the world.
#[derive(Clone)]
pub struct Environment {
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
    /// When destinations are given up, and how that is told.
    pub policy: DestinationPolicy,
    /// Where it is counted.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("db", &self.db)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// Delivers one kind of what is owed.
#[derive(Debug)]
pub struct Dispatcher<C: Transport> {
    transport: Arc<C>,
    around: Environment,
    limits: Limits,
    limiter: Arc<Limiter<ClaimedJob<C::Job>>>,
    attempts: TaskTracker,
    /// Ends attempts that have not finished within the grace period.
    cut: CancellationToken,
}

impl<C: Transport> Dispatcher<C> {
    /// A dispatcher that has not begun.
    #[must_use]
    pub fn new(transport: Arc<C>, mut around: Environment, limits: Limits) -> Self {
        // All that it asks for is a few rows, whatever else is there.
        around.db = around.db.with_generic_plans();
        Self {
            limiter: Arc::new(Limiter::new(limits.slots, limits.per_destination)),
            transport,
            around,
            limits,
            attempts: TaskTracker::new(),
            cut: CancellationToken::new(),
        }
    }

    /// Delivers until `stop`, then lets the attempts in flight finish.
    pub async fn run(self, stop: CancellationToken) {
        let (settler, ledger) = Settler::new(C::KIND, &self.around);
        let mut settling = tokio::spawn(settler.run());
        self.watch(&ledger, &stop).await;
        self.finish(&ledger.done).await;
        // The settler ends when the last sender is gone and everything is written.
        drop(ledger);
        match tokio::time::timeout(LAST_WORDS, &mut settling).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("the settler failed: {error}"),
            Err(_) => {
                settling.abort();
                tracing::error!(
                    "the database does not take how deliveries went; they may arrive twice"
                );
            }
        }
    }

    async fn watch(&self, ledger: &SettlerHandle, stop: &CancellationToken) {
        let mut pause = pause_after_errors();
        let mut not_before = tokio::time::Instant::now();
        let mut found_nothing = false;
        loop {
            let mut behind = ledger.behind.clone();
            let ready = async {
                tokio::time::sleep_until(not_before).await;
                behind.wait_for(|behind| !behind).await.is_ok()
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                settler_lives = ready => if !settler_lives {
                    // Whoever cannot settle must not claim.
                    return;
                },
            }
            // Both before polling, so that nothing is missed between the poll and the wait.
            let woken = self.around.wake.subscribe(C::KIND);
            let room = self.limiter.room();
            let now = tokio::time::Instant::now();
            let polled = match self.poll_once(&ledger.done).await {
                Ok(polled) => polled,
                Err(error) => {
                    tracing::warn!("cannot claim deliveries: {error}");
                    not_before = now + pause.next_backoff().unwrap_or(POLL);
                    continue;
                }
            };
            pause.reset();
            if polled.found == 0 && found_nothing {
                not_before = tokio::time::Instant::now() + PACE;
            }
            found_nothing = polled.found == 0;
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = woken => {}
                () = self.limiter.something_may_leave() => {}
                () = room, if polled.closed || polled.is_full => {}
                () = self.until_due(polled, ledger) => {}
            }
        }
    }

    /// Completes when another poll is worth while, as far as time alone tells.
    async fn until_due(&self, polled: PollResult, ledger: &SettlerHandle) {
        if polled.is_full {
            tokio::time::sleep(POLL).await;
        }
        if polled.is_full || polled.cut_short {
            return;
        }
        loop {
            tokio::time::sleep(QUIET).await;
            let due_in = self.next_due_in().await;
            // What is due but was not found may be another worker's at this moment.
            let not_ours = due_in.is_zero() && polled.found == 0;
            let wait = if not_ours { OTHERS_TURN } else { due_in };
            tokio::select! {
                () = ledger.due_soon.notified() => {}
                // Asks again rather than trust the answer for long: work of other
                // processes comes without a wake-up on SQLite.
                () = tokio::time::sleep(wait.min(POLL)) => if wait <= POLL {
                    return;
                },
            }
        }
    }

    /// How long until something is due in a destination that is open.
    async fn next_due_in(&self) -> Duration {
        let closed = self.limiter.capacity(tokio::time::Instant::now()).closed;
        let asked = (self.around.clock)();
        let next = self
            .around
            .db
            .read(move |c| Ok::<_, DbError>(next_due(c, C::KIND, asked, &closed)?))
            .await;
        let now = (self.around.clock)();
        match next {
            Ok(Some(due)) => due.since(now),
            Ok(None) => Duration::MAX,
            // The next claim will say what is wrong.
            Err(_) => POLL,
        }
    }

    /// Gives back what waits, and waits for what is in flight; what takes too long is cut
    /// off and tried again later.
    async fn finish(&self, done: &mpsc::Sender<AttemptDone>) {
        self.context(done).hand_back_all(self.limiter.stop()).await;
        self.attempts.close();
        if tokio::time::timeout(self.limits.grace, self.attempts.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                in_flight = self.attempts.len(),
                "cutting off what did not finish within the grace period"
            );
            self.cut.cancel();
            self.attempts.wait().await;
        }
    }
}

/// From a tenth of a second to five seconds, for ever.
fn pause_after_errors() -> ExponentialBackoff {
    let mut pause = ExponentialBackoff {
        initial_interval: Duration::from_millis(100),
        max_interval: Duration::from_secs(5),
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    // The first interval is the default's until then.
    pause.reset();
    pause
}
