//! What is counted and measured, for Prometheus to fetch: one registry, made by whoever
//! starts the process and handed around. Labels come from fixed lists, never from Ids.
//!
//! The API adds its own to the same [`registry`](Metrics::registry); the worker's binary
//! shows all of it with [`Endpoint`].

mod endpoint;
#[cfg(test)]
mod tests;

use std::time::Duration;

use beadle_common::db::{Db, DbError};
use beadle_common::id::DestinationId;
use beadle_common::outbox::{
    AttemptRecord, DestinationCounts, DestinationEvent, Disposition, Kind, Settled, Settlement,
    destination_counts, next_due,
};
use beadle_common::unix_millis::UnixMillis;
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};

pub use endpoint::{Endpoint, MetricsSettings};

/// What [`Metrics::show`] writes.
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Seconds: from a receiver next door to the longest deadline by default.
const SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Rows of one transaction.
const ROWS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// The metrics of a process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    attempts: IntCounterVec,
    attempt_seconds: HistogramVec,
    settled: IntCounterVec,
    claims: IntCounterVec,
    claimed: IntCounterVec,
    settle_rows: HistogramVec,
    disabled: IntCounterVec,
    seen: Seen,
}

/// What is looked up when somebody asks.
#[derive(Debug, Clone)]
struct Seen {
    database_up: IntGauge,
    connections: IntGauge,
    connections_limit: IntGauge,
    destinations: IntGaugeVec,
    oldest_due: GaugeVec,
}

impl Metrics {
    /// Nothing has been counted yet.
    ///
    /// # Errors
    /// If two metrics have one name, or a name is none.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let metrics = Self {
            attempts: counters(
                "beadle_attempts_total",
                "Attempts at a delivery, as they were put on record",
                &["kind", "result", "class"],
            )?,
            attempt_seconds: histograms(
                "beadle_attempt_duration_seconds",
                "How long attempts took",
                &SECONDS,
                &["kind"],
            )?,
            settled: counters(
                "beadle_deliveries_settled_total",
                "Deliveries that were decided, by what became of them",
                &["kind", "state"],
            )?,
            claims: counters(
                "beadle_claims_total",
                "Claims, those that found nothing included",
                &["kind"],
            )?,
            claimed: counters(
                "beadle_claimed_rows_total",
                "Deliveries that claims found",
                &["kind"],
            )?,
            settle_rows: histograms(
                "beadle_settle_batch_rows",
                "Deliveries whose attempts were settled in one transaction",
                &ROWS,
                &["kind"],
            )?,
            disabled: counters(
                "beadle_webhooks_disabled_total",
                "Webhooks that this process has disabled",
                &["reason"],
            )?,
            seen: Seen::new(&registry)?,
            registry,
        };
        metrics.enlist()?;
        metrics.tell_build()?;
        Ok(metrics)
    }

    fn enlist(&self) -> prometheus::Result<()> {
        let histograms = [&self.attempt_seconds, &self.settle_rows];
        for histogram in histograms {
            self.registry.register(Box::new(histogram.clone()))?;
        }
        for counter in [
            &self.attempts,
            &self.settled,
            &self.claims,
            &self.claimed,
            &self.disabled,
        ] {
            self.registry.register(Box::new(counter.clone()))?;
        }
        Ok(())
    }

    fn tell_build(&self) -> prometheus::Result<()> {
        let build = enlisted(
            &self.registry,
            IntGaugeVec::new(
                Opts::new("beadle_build_info", "Always 1; the label tells the version"),
                &["version"],
            )?,
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(())
    }

    /// Where others add what they count.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A claim that was committed.
    pub(crate) fn claimed(&self, kind: Kind, rows: usize) {
        self.claims.with_label_values(&[name(kind)]).inc();
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.claimed.with_label_values(&[name(kind)]).inc_by(rows);
    }

    /// A batch that was committed. Those of it whose lease somebody else had by then count
    /// too: the attempts were made, and lost leases are rare.
    pub(crate) fn settled(&self, kind: Kind, batch: &[Settlement], settled: &Settled) {
        let rows = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        let sizes = self.settle_rows.with_label_values(&[name(kind)]);
        sizes.observe(f64::from(rows));
        for settlement in batch {
            if let Some(record) = &settlement.record {
                self.attempted(kind, record);
            }
            if let Disposition::Finished(state) = settlement.disposition {
                let labels = [name(kind), state.as_str()];
                self.settled.with_label_values(&labels).inc();
            }
        }
        self.happened(&settled.happenings);
    }

    /// What destinations have been through.
    pub(crate) fn happened(&self, happenings: &[(DestinationId, DestinationEvent)]) {
        for (_, happening) in happenings {
            if let DestinationEvent::Disabled(reason) = happening {
                self.disabled.with_label_values(&[reason.as_str()]).inc();
            }
        }
    }

    /// An attempt that was made.
    pub(crate) fn attempted(&self, kind: Kind, record: &AttemptRecord) {
        let result = record.result.as_str().to_lowercase();
        let class = record.class.as_deref().unwrap_or("none");
        let labels = [name(kind), &result, class];
        self.attempts.with_label_values(&labels).inc();
        let seconds = f64::from(record.duration_millis) / 1000.0;
        let durations = self.attempt_seconds.with_label_values(&[name(kind)]);
        durations.observe(seconds);
    }

    /// All of it as text, with a fresh look at the database. Without the database, what it
    /// alone can tell is left out.
    ///
    /// # Errors
    /// If the text cannot be written.
    pub async fn show(&self, db: &Db, now: UnixMillis) -> prometheus::Result<String> {
        self.seen.look(db, now).await;
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl Seen {
    fn new(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name, help| enlisted(registry, IntGauge::new(name, help)?);
        let destinations = Opts::new(
            "beadle_destinations",
            "Webhooks and mail servers that get nothing for now, by why",
        );
        let oldest = Opts::new(
            "beadle_outbox_oldest_due_seconds",
            "For how long the oldest delivery that may be made has been due",
        );
        Ok(Self {
            database_up: gauge("beadle_database_up", "1 if the database answered just now")?,
            connections: gauge(
                "beadle_db_connections_in_use",
                "Connections of the pool that somebody works with",
            )?,
            connections_limit: gauge("beadle_db_connections_limit", "The size of the pool")?,
            destinations: enlisted(registry, IntGaugeVec::new(destinations, &["state"])?)?,
            oldest_due: enlisted(registry, GaugeVec::new(oldest, &["kind"])?)?,
        })
    }

    async fn look(&self, db: &Db, now: UnixMillis) {
        // Before the look itself takes one.
        let connections = db.connections();
        self.connections.set(i64::from(connections.in_use));
        self.connections_limit.set(i64::from(connections.limit));
        match survey(db, now).await {
            Ok(survey) => self.show(&survey),
            Err(error) => {
                tracing::warn!("metrics without what the database knows: {error}");
                self.database_up.set(0);
                self.destinations.reset();
                self.oldest_due.reset();
            }
        }
    }

    fn show(&self, survey: &Survey) {
        self.database_up.set(1);
        let DestinationCounts {
            disabled,
            circuit_open,
            throttled,
        } = survey.destinations;
        for (state, count) in [
            ("disabled", disabled),
            ("circuit_open", circuit_open),
            ("throttled", throttled),
        ] {
            self.destinations.with_label_values(&[state]).set(count);
        }
        for (kind, waiting) in survey.waiting {
            let oldest = self.oldest_due.with_label_values(&[name(kind)]);
            oldest.set(waiting.as_secs_f64());
        }
    }
}

/// What the database tells.
struct Survey {
    destinations: DestinationCounts,
    waiting: [(Kind, Duration); 2],
}

async fn survey(db: &Db, now: UnixMillis) -> Result<Survey, DbError> {
    db.read(move |connection| {
        let mut waiting = [
            (Kind::Webhook, Duration::ZERO),
            (Kind::Email, Duration::ZERO),
        ];
        for (kind, waiting) in &mut waiting {
            let due = next_due(connection, *kind, now, &[])?;
            *waiting = due.map_or(Duration::ZERO, |due| now.since(due));
        }
        Ok(Survey {
            destinations: destination_counts(connection, now)?,
            waiting,
        })
    })
    .await
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Webhook => "webhook",
        Kind::Email => "email",
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

fn histograms(
    name: &str,
    help: &str,
    buckets: &[f64],
    labels: &[&str],
) -> prometheus::Result<HistogramVec> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    HistogramVec::new(options, labels)
}

/// Puts a metric into the registry, and gives it back.
fn enlisted<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: C,
) -> prometheus::Result<C> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
