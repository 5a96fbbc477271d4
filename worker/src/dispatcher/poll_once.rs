//! One poll of the outbox: claims as much as the limiter admits, loads it, and starts the attempts.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use beadle_common::db::{AnyConnection, DbError};
use beadle_common::id::DestinationId;
use beadle_common::outbox::{ClaimRequest, Claimed, Destinations, claim};
use beadle_common::unix_millis::UnixMillis;
use futures_util::FutureExt as _;
use tokio::sync::mpsc;

use super::attempt::{AttemptDone, ClaimedJob, Prepared, SendContext, panic_text};
use super::capacity::Capacity;
use super::limiter::Admission;
use super::{Dispatcher, Transport};
use crate::core::Unsendable;
use crate::core::outcome::{ErrorClass, Failure};

/// Rows of one claim at most. More share a round trip, but all wait for the last.
const BATCH: usize = 128;

/// What one poll of the outbox found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PollResult {
    /// Rows claimed.
    pub(super) found: usize,
    /// More rows may be due, and the limiter would admit them.
    pub(super) cut_short: bool,
    /// The limiter admits nothing.
    pub(super) is_full: bool,
    /// Some destinations, or all of them, were left out of the poll.
    pub(super) closed: bool,
}

/// Why claimed deliveries could not be loaded.
enum LoadError {
    Database(DbError),
    Panic(String),
}

type Loaded<C> = Vec<(Claimed, Prepared<<C as Transport>::Job>)>;

impl<C: Transport> Dispatcher<C> {
    /// Claims as much as the limiter admits, and starts the attempts.
    pub(super) async fn poll_once(
        &self,
        done: &mpsc::Sender<AttemptDone>,
    ) -> Result<PollResult, DbError> {
        let context = self.context(done);
        self.start_waiting(&context);
        let mut room = self.limiter.capacity(tokio::time::Instant::now());
        room.rows = room.rows.min(BATCH);
        room.suspect_rows = room.suspect_rows.min(room.rows.div_ceil(2));
        if room.is_none() {
            return Ok(PollResult {
                is_full: true,
                closed: true,
                ..PollResult::default()
            });
        }
        let now = (self.around.clock)();
        let lease_end = now.plus(self.limits.lease);
        let claimed = self.claim(&room, now, lease_end).await?;
        self.around.metrics.claimed(C::KIND, claimed.len());
        let mut of_destination = HashMap::<DestinationId, usize>::new();
        for claimed in &claimed {
            *of_destination.entry(claimed.destination).or_default() += 1;
        }
        let found = claimed.len();
        let loaded = self.load(claimed).await;
        self.dispatch(&context, loaded, lease_end).await;
        Ok(self.result(found, &room, &of_destination))
    }

    /// What the poll found, and what it left.
    fn result(
        &self,
        found: usize,
        before: &Capacity,
        of_destination: &HashMap<DestinationId, usize>,
    ) -> PollResult {
        let now = self.limiter.capacity(tokio::time::Instant::now());
        let destination_has_more = |(destination, count): (&DestinationId, &usize)| {
            *count >= before.of(*destination) && now.of(*destination) > 0
        };
        let ahead = |destination| before.ahead.iter().any(|(ahead, _)| ahead == destination);
        let others = of_destination
            .iter()
            .filter(|(destination, _)| !ahead(*destination));
        let of_others: usize = others.map(|(_, count)| count).sum();
        let others_have_more = of_others >= before.rows && of_others > 0 && now.rows > 0;
        PollResult {
            found,
            cut_short: others_have_more || of_destination.iter().any(destination_has_more),
            is_full: now.is_none(),
            closed: !now.closed.is_empty() || !before.closed.is_empty(),
        }
    }

    /// What all attempts that begin now have in common.
    pub(super) fn context(&self, done: &mpsc::Sender<AttemptDone>) -> Arc<SendContext<C>> {
        Arc::new(SendContext {
            transport: Arc::clone(&self.transport),
            clock: self.around.clock.clone(),
            jitter: self.around.jitter.clone(),
            cut: self.cut.clone(),
            done: done.clone(),
        })
    }

    /// Starts each attempt that has a slot; the others wait for one in the limiter.
    async fn dispatch(
        &self,
        context: &Arc<SendContext<C>>,
        loaded: Loaded<C>,
        lease_end: UnixMillis,
    ) {
        let mut refused = Vec::new();
        for (claimed, prepared) in loaded {
            let destination = claimed.destination;
            let (bytes, server) = match &prepared {
                Prepared::Job(job) => (self.transport.weight(job), self.transport.server(job)),
                Prepared::Unsendable(_) | Prepared::NotLoaded => (0, None),
            };
            let held = ClaimedJob {
                claimed,
                prepared,
                lease_end,
            };
            let now = tokio::time::Instant::now();
            match self.limiter.place(destination, held, bytes, server, now) {
                Admission::Now(slot, held) => {
                    self.attempts
                        .spawn(Arc::clone(context).run_attempts(slot, held));
                }
                Admission::Waits => {}
                Admission::Refused(held) => refused.push(held),
            }
        }
        self.start_waiting(context);
        context.hand_back_all(refused).await;
    }

    /// Starts jobs that still wait although there are free slots.
    fn start_waiting(&self, context: &Arc<SendContext<C>>) {
        for (slot, held) in self.limiter.ready(tokio::time::Instant::now()) {
            self.attempts
                .spawn(Arc::clone(context).run_attempts(slot, held));
        }
    }

    async fn claim(
        &self,
        room: &Capacity,
        now: UnixMillis,
        lease_end: UnixMillis,
    ) -> Result<Vec<Claimed>, DbError> {
        let request = ClaimRequest {
            kind: C::KIND,
            now,
            lease_end,
            owner: self.around.owner.clone(),
            limit: room.rows,
            per_destination: room.per_destination,
            destinations: Destinations {
                closed: room.closed.clone(),
                degraded: room.suspects.clone(),
                degraded_limit: room.suspect_rows,
                prefetch: room.ahead.clone(),
            },
        };
        self.around
            .db
            .write_autocommit(move |connection| Ok::<_, DbError>(claim(connection, &request)?))
            .await
    }

    /// Loads outside the claim's transaction: it takes time that other writers wait for,
    /// and what cannot be loaded must have used its attempt all the same.
    async fn load(&self, claimed: Vec<Claimed>) -> Loaded<C> {
        let error = match self.try_load(claimed.clone()).await {
            Ok(loaded) => return loaded,
            Err(error) => error,
        };
        if matches!(error, LoadError::Database(DbError::Unavailable(_))) {
            tracing::warn!("cannot load deliveries: {error}");
            let not_loaded = |claimed| (claimed, Prepared::NotLoaded);
            return claimed.into_iter().map(not_loaded).collect();
        }
        tracing::error!("loading a batch failed, trying one by one: {error}");
        let mut loaded = Vec::with_capacity(claimed.len());
        for claimed in claimed {
            match self.try_load(vec![claimed.clone()]).await {
                Ok(one) => loaded.extend(one),
                Err(error) => loaded.push((claimed, unloadable(&error))),
            }
        }
        loaded
    }

    async fn try_load(&self, claimed: Vec<Claimed>) -> Result<Loaded<C>, LoadError> {
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let transport = Arc::clone(&self.transport);
        let now = (self.around.clock)();
        let loading = async {
            let loaded = match transport.at_hand(claimed, now) {
                Ok(loaded) => loaded,
                Err(claimed) => self.ask(transport, claimed, now).await?,
            };
            let prepared = |(claimed, job): (Claimed, Result<C::Job, Unsendable>)| {
                (
                    claimed,
                    job.map_or_else(Prepared::Unsendable, Prepared::Job),
                )
            };
            Ok::<_, DbError>(loaded.into_iter().map(prepared).collect())
        };
        match AssertUnwindSafe(loading).catch_unwind().await {
            Ok(loaded) => loaded.map_err(LoadError::Database),
            Err(panic) => Err(LoadError::Panic(panic_text(panic.as_ref()).to_owned())),
        }
    }

    async fn ask(
        &self,
        transport: Arc<C>,
        claimed: Vec<Claimed>,
        now: UnixMillis,
    ) -> Result<super::Loaded<C::Job>, DbError> {
        let load = move |connection: &mut AnyConnection| {
            Ok::<_, DbError>(transport.load(connection, claimed, now)?)
        };
        self.around.db.read(load).await
    }
}

/// It may be mended: tried again as scheduled.
fn unloadable<P>(error: &LoadError) -> Prepared<P> {
    match error {
        LoadError::Database(DbError::Unavailable(_)) => Prepared::NotLoaded,
        error => {
            let message = format!("it cannot be loaded: {error}");
            let failure = Failure::new(ErrorClass::Unknown, message);
            Prepared::Unsendable(Unsendable::NotNow(failure))
        }
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::Panic(text) => write!(f, "the program failed: {text}"),
        }
    }
}
