//! One look at the outbox: claims what there is room for, loads it, lets it fly.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use beadle_common::db::{AnyConnection, DbError};
use beadle_common::id::DestinationId;
use beadle_common::outbox::{ClaimRequest, Claimed, Destinations, claim};
use beadle_common::unix_millis::UnixMillis;
use futures_util::FutureExt as _;
use tokio::sync::mpsc;

use super::flight::{Cargo, Crew, Held, Landing, Unsendable, panic_text};
use super::room::Place;
use super::room::Room;
use super::{Courier, Drain};
use crate::outcome::{ErrorClass, Failure};

/// Rows of one claim at most. More share a round trip, but all wait for the last.
const BATCH: usize = 128;

/// What one look at the outbox found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Rows claimed.
    pub(super) found: usize,
    /// There may be more that is due, and there is room for it.
    pub(super) cut_short: bool,
    /// There is no room at all.
    pub(super) is_full: bool,
    /// Some destinations or all were not looked at, or would not be now.
    pub(super) closed: bool,
}

/// Why claimed deliveries could not be loaded.
enum LoadError {
    Database(DbError),
    Panic(String),
}

type Loaded<C> = Vec<(Claimed, Cargo<<C as Courier>::Parcel>)>;

impl<C: Courier> Drain<C> {
    /// Claims what there is room for, and lets fly what can.
    pub(super) async fn look(&self, landings: &mpsc::Sender<Landing>) -> Result<Look, DbError> {
        let crew = self.crew(landings);
        self.depart(&crew);
        let mut room = self.slots.look(tokio::time::Instant::now());
        room.rows = room.rows.min(BATCH);
        room.suspect_rows = room.suspect_rows.min(room.rows.div_ceil(2));
        if room.is_none() {
            return Ok(Look {
                is_full: true,
                closed: true,
                ..Look::default()
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
        self.embark(&crew, loaded, lease_end).await;
        Ok(self.looked(found, &room, &of_destination))
    }

    /// What is left after a look.
    fn looked(
        &self,
        found: usize,
        before: &Room,
        of_destination: &HashMap<DestinationId, usize>,
    ) -> Look {
        let now = self.slots.look(tokio::time::Instant::now());
        let destination_has_more = |(destination, count): (&DestinationId, &usize)| {
            *count >= before.of(*destination) && now.of(*destination) > 0
        };
        let ahead = |destination| before.ahead.iter().any(|(ahead, _)| ahead == destination);
        let others = of_destination
            .iter()
            .filter(|(destination, _)| !ahead(*destination));
        let of_others: usize = others.map(|(_, count)| count).sum();
        let others_have_more = of_others >= before.rows && of_others > 0 && now.rows > 0;
        Look {
            found,
            cut_short: others_have_more || of_destination.iter().any(destination_has_more),
            is_full: now.is_none(),
            closed: !now.closed.is_empty() || !before.closed.is_empty(),
        }
    }

    /// What all flights that begin now have in common.
    pub(super) fn crew(&self, landings: &mpsc::Sender<Landing>) -> Arc<Crew<C>> {
        Arc::new(Crew {
            courier: Arc::clone(&self.courier),
            clock: self.around.clock.clone(),
            jitter: self.around.jitter.clone(),
            cut: self.cut.clone(),
            landings: landings.clone(),
        })
    }

    /// Lets fly what has a slot; what has none waits for it.
    async fn embark(&self, crew: &Arc<Crew<C>>, loaded: Loaded<C>, lease_end: UnixMillis) {
        let mut refused = Vec::new();
        for (claimed, cargo) in loaded {
            let destination = claimed.destination;
            let (bytes, server) = match &cargo {
                Cargo::Parcel(parcel) => (self.courier.weight(parcel), self.courier.server(parcel)),
                Cargo::Unsendable(_) | Cargo::NotLoaded => (0, None),
            };
            let held = Held {
                claimed,
                cargo,
                lease_end,
            };
            let now = tokio::time::Instant::now();
            match self.slots.place(destination, held, bytes, server, now) {
                Place::Now(slot, held) => {
                    self.flights.spawn(Arc::clone(crew).fly(slot, held));
                }
                Place::Waits => {}
                Place::Refused(held) => refused.push(held),
            }
        }
        self.depart(crew);
        crew.hand_back_all(refused).await;
    }

    /// Lets fly what waits although there are slots.
    fn depart(&self, crew: &Arc<Crew<C>>) {
        for (slot, held) in self.slots.departures(tokio::time::Instant::now()) {
            self.flights.spawn(Arc::clone(crew).fly(slot, held));
        }
    }

    async fn claim(
        &self,
        room: &Room,
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
            let not_loaded = |claimed| (claimed, Cargo::NotLoaded);
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
        let courier = Arc::clone(&self.courier);
        let now = (self.around.clock)();
        let loading = async {
            let loaded = match courier.at_hand(claimed, now) {
                Ok(loaded) => loaded,
                Err(claimed) => self.ask(courier, claimed, now).await?,
            };
            let cargo = |(claimed, parcel): (Claimed, Result<C::Parcel, Unsendable>)| {
                (
                    claimed,
                    parcel.map_or_else(Cargo::Unsendable, Cargo::Parcel),
                )
            };
            Ok::<_, DbError>(loaded.into_iter().map(cargo).collect())
        };
        match AssertUnwindSafe(loading).catch_unwind().await {
            Ok(loaded) => loaded.map_err(LoadError::Database),
            Err(panic) => Err(LoadError::Panic(panic_text(panic.as_ref()).to_owned())),
        }
    }

    async fn ask(
        &self,
        courier: Arc<C>,
        claimed: Vec<Claimed>,
        now: UnixMillis,
    ) -> Result<super::Loaded<C::Parcel>, DbError> {
        let load = move |connection: &mut AnyConnection| {
            Ok::<_, DbError>(courier.load(connection, claimed, now)?)
        };
        self.around.db.read(load).await
    }
}

/// It may be mended: tried again as scheduled.
fn unloadable<P>(error: &LoadError) -> Cargo<P> {
    match error {
        LoadError::Database(DbError::Unavailable(_)) => Cargo::NotLoaded,
        error => {
            let message = format!("it cannot be loaded: {error}");
            let failure = Failure::new(ErrorClass::Unknown, message);
            Cargo::Unsendable(Unsendable::NotNow(failure))
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
