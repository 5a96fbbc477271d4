//! What slots count, whatever they make of it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use beadle_common::id::DestinationId;
use tokio::time::Instant;

use super::Server;
use super::destination::{Destination, Waiting};

/// Destinations with nothing in flight that are remembered because they failed last.
/// Above that some are forgotten, and get another chance.
pub(super) const REMEMBERED: usize = 1024;

/// What a slot has been taken for.
pub(super) struct Taken {
    pub(super) destination: DestinationId,
    pub(super) server: Option<Server>,
    pub(super) number: u64,
    /// Its settling may shut the destination for all workers.
    pub(super) shuts: bool,
}

/// What is in flight, and what waits.
pub(super) struct State<W> {
    pub(super) used: usize,
    pub(super) taken: u64,
    pub(super) destinations: HashMap<DestinationId, Destination<W>>,
    /// In flight to each server that several destinations lead to.
    pub(super) servers: HashMap<Server, usize>,
    /// Destinations of which something waits. When something finishes, it is the turn of the first
    /// that may have one more in flight.
    pub(super) turns: VecDeque<DestinationId>,
    pub(super) waiting: usize,
    pub(super) waiting_bytes: usize,
    /// The last look was short of slots, whatever the destinations had.
    pub(super) is_short: bool,
    /// Nothing more begins.
    pub(super) stopped: bool,
}

impl<W> Default for State<W> {
    fn default() -> Self {
        Self {
            used: 0,
            taken: 0,
            destinations: HashMap::new(),
            servers: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            waiting_bytes: 0,
            is_short: false,
            stopped: false,
        }
    }
}

impl<W> State<W> {
    pub(super) fn start(
        &mut self,
        destination: DestinationId,
        server: Option<&Server>,
        now: Instant,
    ) -> u64 {
        if let Some(server) = server {
            *self.servers.entry(Arc::clone(server)).or_default() += 1;
        }
        self.used += 1;
        self.taken += 1;
        let number = self.taken;
        let attempts = &mut self.destinations.entry(destination).or_default().attempts;
        attempts.insert(number, now);
        number
    }

    /// Its turn comes when the destinations have had theirs that wait already.
    pub(super) fn waits(&mut self, id: DestinationId, waiting: Waiting<W>) {
        let destination = self.destinations.entry(id).or_default();
        if !destination.has_waiting() {
            self.turns.push_back(id);
        }
        self.waiting += 1;
        self.waiting_bytes += waiting.bytes;
        destination.waits(waiting);
    }

    /// An attempt is over.
    pub(super) fn land(&mut self, slot: &Taken) {
        self.used = self.used.saturating_sub(1);
        if let Some(server) = &slot.server
            && let Some(attempts) = self.servers.get_mut(server)
        {
            *attempts -= 1;
            if *attempts == 0 {
                self.servers.remove(server);
            }
        }
        let Some(destination) = self.destinations.get_mut(&slot.destination) else {
            return;
        };
        destination.attempts.remove(&slot.number);
        destination.shutting -= usize::from(slot.shuts);
        self.tidy();
    }

    /// Keeps the memory of destinations without attempts within bounds.
    fn tidy(&mut self) {
        if self.destinations.len() <= self.used.saturating_add(REMEMBERED) {
            return;
        }
        let mut excess = REMEMBERED / 2;
        self.destinations.retain(|_, destination| {
            let forget = destination.is_at_rest() && excess > 0;
            excess -= usize::from(forget);
            !forget
        });
    }
}
