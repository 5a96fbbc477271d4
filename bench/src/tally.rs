//! What arrived, how often, and how long after it was sent. Receivers count into it from
//! threads of their own; scenarios wait for it and read it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What has arrived since the last reset.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Deliveries that were taken, each once.
    pub delivered: usize,
    /// Those that came again.
    pub duplicates: usize,
    /// Connections that were opened, since the start.
    pub connections: usize,
    /// When the first and the last one came, in microseconds since the epoch.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// Microseconds from the sending of the action to its arrival, by group.
    pub latencies: BTreeMap<String, Vec<u64>>,
    seen: HashSet<(String, String)>,
}

impl Arrivals {
    /// From the first to the last.
    pub fn took(&self) -> Duration {
        Duration::from_micros(self.last.saturating_sub(self.first))
    }
}

/// One delivery, as it came in.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Where to.
    pub place: &'a str,
    /// What stays the same when it comes again.
    pub id: String,
    /// When, in microseconds since the epoch.
    pub at: u64,
    /// When what it tells of was sent, and the group that this latency is counted in.
    pub sent: Option<(u64, &'a str)>,
}

/// The count; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<Arrivals>>);

impl Tally {
    /// Counts one connection.
    pub fn connected(&self) {
        self.state().connections += 1;
    }

    /// Counts one delivery.
    pub fn count(&self, arrival: Arrival<'_>) {
        let mut state = self.state();
        if !state.seen.insert((arrival.place.to_owned(), arrival.id)) {
            state.duplicates += 1;
            return;
        }
        state.delivered += 1;
        if state.first == 0 {
            state.first = arrival.at;
        }
        state.last = arrival.at;
        let Some((sent, group)) = arrival.sent else {
            return;
        };
        let latency = arrival.at.saturating_sub(sent);
        match state.latencies.get_mut(group) {
            Some(latencies) => latencies.push(latency),
            None => {
                state.latencies.insert(group.to_owned(), vec![latency]);
            }
        }
    }

    /// Forgets what has arrived, but not how often somebody connected.
    pub fn reset(&self) {
        self.take();
    }

    /// How much has arrived.
    pub fn delivered(&self) -> usize {
        self.state().delivered
    }

    /// What has arrived since the last reset, and a reset.
    pub fn take(&self) -> Arrivals {
        let mut state = self.state();
        let fresh = Arrivals {
            connections: state.connections,
            ..Arrivals::default()
        };
        std::mem::replace(&mut state, fresh)
    }

    /// Waits until so many deliveries have arrived; gives up when nothing more has come for
    /// `patience`.
    pub async fn wait_for(&self, count: usize, patience: Duration) -> Result<()> {
        let mut last = (self.delivered(), tokio::time::Instant::now());
        loop {
            let delivered = self.delivered();
            if delivered >= count {
                return Ok(());
            }
            if delivered != last.0 {
                last = (delivered, tokio::time::Instant::now());
            }
            anyhow::ensure!(
                last.1.elapsed() < patience,
                "only {delivered} of {count} deliveries came, and none for {patience:?}"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, Arrivals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a receiver on a thread of its own, so that the load driver does not slow it down.
pub fn on_own_thread(name: &str, serving: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .with_context(|| format!("cannot start the {name}"))?;
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || runtime.block_on(serving))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(id: &str, at: u64) -> Arrival<'_> {
        Arrival {
            place: "/",
            id: id.to_owned(),
            at,
            sent: Some((at - 5, "all")),
        }
    }

    #[test]
    fn what_comes_twice_is_delivered_once() {
        let tally = Tally::default();
        tally.connected();
        for (id, at) in [("a", 10), ("b", 20), ("a", 30)] {
            tally.count(arrival(id, at));
        }
        let arrivals = tally.take();
        assert_eq!((arrivals.delivered, arrivals.duplicates), (2, 1));
        assert_eq!(arrivals.took(), Duration::from_micros(10));
        assert_eq!(arrivals.latencies["all"], [5, 5]);
        assert_eq!((tally.delivered(), tally.take().connections), (0, 1));
    }
}
