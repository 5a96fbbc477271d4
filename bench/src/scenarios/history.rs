//! What much that was delivered before, and much that waits, cost: memory of API and worker
//! above all; and the rate of actions, claims and settles beside them.

use std::time::Duration;

use anyhow::Result;
use beadle_common::db::{Db, DbError};
use beadle_common::id::DestinationId;
use beadle_common::schema::deliveries::dsl;
use beadle_common::unix_millis::UnixMillis;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::claim::{Measured, claims_and_settles, open};
use super::{Bench, PATIENCE};
use crate::clock::now_micros;
use crate::figures::{Report, percentile, rate};
use crate::fill;
use crate::load::{Load, drive};
use crate::receiver::Receiver;
use crate::round::round;
use crate::system::{Stock, System};
use crate::usage::Peak;

/// Actions that are really taken and delivered before; the history consists of their copies.
const MODELS: usize = 64;

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let mut empty = None;
    let mut histories = vec![0, bench.history];
    histories.dedup();
    for history in histories {
        let found = measure(bench, history).await?;
        let empty = *empty.get_or_insert(found.memory);
        let mut figures = found.figures;
        if let Value::Object(figures) = &mut figures {
            figures.insert("memory KiB".to_owned(), json!(found.memory));
            let ratio = round(in_kib(found.memory) / in_kib(empty));
            figures.insert("memory to empty".to_owned(), json!(ratio));
        }
        let name = format!("history {history}, {} pending", bench.pending);
        report.tell(&bench.name(&name), figures)?;
    }
    Ok(())
}

fn in_kib(memory: u64) -> f64 {
    f64::from(u32::try_from(memory).unwrap_or(u32::MAX))
}

struct Found {
    /// Of API and worker, at most, in KiB.
    memory: u64,
    figures: Value,
}

async fn measure(bench: &Bench<'_>, history: usize) -> Result<Found> {
    let receiver = Receiver::start()?;
    let mut system = System::start(bench.plan(1)).await?;
    let stock = Stock::make(&system, &[receiver.url("/ok/all/0")]).await?;
    let load = |count| Load {
        count,
        clients: bench.clients,
        rate: None,
    };
    drive(&system.api, &stock, load(MODELS)).await?;
    receiver.wait_for(MODELS, PATIENCE).await?;
    // The last settlements are what is copied.
    tokio::time::sleep(Duration::from_secs(1)).await;
    system.pause();
    let db = open(system.database())?;
    aside(&db, move |db| fill::history(db, history)).await?;
    system.resume().await?;
    let taken = drive(&system.api, &stock, load(bench.actions)).await?;

    let rest = bench.pending.saturating_sub(bench.actions);
    let claimed = aside(&db, move |db| waiting(db, rest)).await?;
    drop(db);
    receiver.reset();
    system.begin_delivering().await?;
    let peak = Peak::watch(system.own_processes());
    // What comes in meanwhile is part of the peak.
    let beside = drive(&system.api, &stock, load(bench.actions)).await?;
    let all = rest + 2 * bench.actions;
    receiver.wait_for(all, PATIENCE).await?;
    let arrivals = receiver.take();
    Ok(Found {
        memory: peak.stop(),
        figures: json!({
            "taken/s": rate(bench.actions, taken.wall),
            "taken/s beside worker": rate(bench.actions, beside.wall),
            "drained/s": rate(arrivals.delivered, arrivals.took()),
            "duplicates": arrivals.duplicates,
            "connections": arrivals.connections,
            "claim p50 ms": percentile(&claimed.claims, 50),
            "claim p99 ms": percentile(&claimed.claims, 99),
            "settle p50 ms": percentile(&claimed.settles, 50),
            "settle p99 ms": percentile(&claimed.settles, 99),
            "rows read per round": claimed.rows_read,
        }),
    })
}

/// Adds what waits, and measures claims and settles of another webhook beside it.
fn waiting(db: &Db, pending: usize) -> Result<Measured> {
    fill::pending(db, pending)?;
    fill::analyze(db)?;
    let destination: DestinationId = db.read_blocking(|connection| {
        let destinations = dsl::deliveries.select(dsl::destination).limit(1);
        Ok::<_, DbError>(destinations.first(connection)?)
    })?;
    let now = i64::try_from(now_micros() / 1000)?;
    claims_and_settles(db, destination, UnixMillis::from_millis(now))
}

/// Away from the thread that drives and receives.
async fn aside<T: Send + 'static>(
    db: &Db,
    work: impl FnOnce(&Db) -> Result<T> + Send + 'static,
) -> Result<T> {
    let db = db.clone();
    tokio::task::spawn_blocking(move || work(&db)).await?
}
