//! How near the taking of actions comes to what the disk and the database allow: a bare
//! loop that writes the same rows into the same tables, in transactions of 64.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use beadle_bench::owed;
use beadle_common::db::{AnyConnection, Db, DbError, QueryResult, SqliteSynchronous};
use beadle_common::id::{ActionLogId, DestinationId, EventId};
use beadle_common::lifecycle::insert_batch;
use beadle_common::model::action_log::ActionLog;
use beadle_common::model::event::EventRow;
use beadle_common::outbox::{NewDelivery, Payload};
use beadle_common::schema::{action_logs, events, outbox};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;

use super::claim::open;
use super::{Bench, PATIENCE};
use crate::figures::{Report, rate};
use crate::load::{Load, drive};
use crate::receiver::Receiver;
use crate::round::round;
use crate::system::{Backend, Stock, System};

/// Actions before the clock starts.
const WARM_UP: usize = 500;

/// Actions of one transaction of the bare loop.
const TOGETHER: usize = 64;

/// Threads that write in the bare loop, with a connection each. One file has one writer; on
/// a server some write while others wait for the disk.
fn writers(backend: Backend) -> usize {
    match backend {
        Backend::Sqlite => 1,
        Backend::Postgres => 4,
    }
}

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (alone, bare) = without_worker(bench).await?;
    let beside = with_worker(bench).await?;
    report.tell(
        &bench.name("writes"),
        json!({
            "bare loop/s": bare,
            "taken/s": alone,
            "to bare loop": round(alone / bare),
            "taken/s beside worker": beside,
            "beside worker to bare loop": round(beside / bare),
        }),
    )
}

/// Nothing is delivered. The bare loop writes into the same database, or on SQLite into a
/// copy from before.
async fn without_worker(bench: &Bench<'_>) -> Result<(f64, f64)> {
    let receiver = Receiver::start()?;
    let plan = bench.plan(0).set("BEADLE_SQLITE_SYNCHRONOUS", "full");
    let mut system = System::start(plan).await?;
    let stock = Stock::make(&system, &[receiver.url("/ok/all/0")]).await?;
    drive(&system.api, &stock, load(bench, WARM_UP)).await?;
    let dir = tempfile::TempDir::with_prefix("beadle-bench-")?;
    let mut url = system.database().to_owned();
    if bench.backend == Backend::Sqlite {
        let copy = dir.path().join("copy.db").display().to_string();
        let from = std::mem::replace(&mut url, format!("sqlite://{copy}"));
        tokio::task::spawn_blocking(move || copied(&from, &copy)).await??;
    }
    let driven = drive(&system.api, &stock, load(bench, bench.actions)).await?;
    system.pause();
    let (actions, writers) = (bench.actions, writers(bench.backend));
    let bare = tokio::task::spawn_blocking(move || bare_loop(&url, actions, writers));
    Ok((rate(actions, driven.wall), rate(actions, bare.await??)))
}

/// A worker delivers meanwhile.
async fn with_worker(bench: &Bench<'_>) -> Result<f64> {
    let receiver = Receiver::start()?;
    let plan = bench.plan(1).set("BEADLE_SQLITE_SYNCHRONOUS", "full");
    let system = System::start(plan).await?;
    let stock = Stock::make(&system, &[receiver.url("/ok/all/0")]).await?;
    drive(&system.api, &stock, load(bench, WARM_UP)).await?;
    receiver.wait_for(WARM_UP, PATIENCE).await?;
    let driven = drive(&system.api, &stock, load(bench, bench.actions)).await?;
    Ok(rate(bench.actions, driven.wall))
}

fn load(bench: &Bench<'_>, count: usize) -> Load {
    Load {
        count,
        clients: bench.clients,
        rate: None,
    }
}

fn copied(url: &str, to: &str) -> Result<()> {
    let db = open(url)?;
    let sql = format!("VACUUM INTO '{to}'");
    db.read_blocking(|connection| Ok::<_, DbError>(connection.batch_execute(&sql)?))?;
    Ok(())
}

/// What taking one action writes.
#[derive(Clone)]
struct Rows {
    log: ActionLog,
    event: EventRow,
    destination: DestinationId,
}

/// Writes as many actions; the rows are ready, but for their Ids.
fn bare_loop(url: &str, actions: usize, writers: usize) -> Result<Duration> {
    let connections = u32::try_from(writers)?;
    let db = owed::open(url, connections, SqliteSynchronous::Full)?;
    let model = db.read_blocking(|connection| Ok::<_, DbError>(model(connection)?))?;
    // Connections are opened, statements prepared.
    share(&db, &model, writers * TOGETHER, writers)?;
    let began = Instant::now();
    share(&db, &model, actions, writers)?;
    Ok(began.elapsed())
}

/// Each writer takes the next transaction as soon as it is done with one.
fn share(db: &Db, model: &Rows, actions: usize, writers: usize) -> Result<()> {
    let left = AtomicUsize::new(actions);
    let next = |left: usize| Some(left.saturating_sub(TOGETHER));
    let work = || {
        while let Ok(before @ 1..) = left.fetch_update(Relaxed, Relaxed, next) {
            write(db, model, before.min(TOGETHER))?;
        }
        anyhow::Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers).map(|_| scope.spawn(work)).collect();
        let mut ends = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        ends.try_for_each(|end| end.map_err(|_| anyhow::anyhow!("a writer panicked"))?)
    })
}

/// The rows of an action that was really taken.
fn model(connection: &mut AnyConnection) -> QueryResult<Rows> {
    let event = events::table.select(EventRow::as_select());
    let log = action_logs::table.select(ActionLog::as_select());
    let destination = outbox::table.select(outbox::destination);
    Ok(Rows {
        log: log.first(connection)?,
        event: event.first(connection)?,
        destination: destination.first(connection)?,
    })
}

fn write(db: &Db, model: &Rows, together: usize) -> Result<()> {
    let rows: Vec<_> = (0..together).map(|_| model.copy()).collect();
    let written = owed::write(db, move |connection| {
        let logs: Vec<_> = rows.iter().map(|(log, _, _)| log).collect();
        let events: Vec<_> = rows.iter().map(|(_, event, _)| event).collect();
        let deliveries: Vec<_> = rows.iter().map(|(_, _, delivery)| delivery).collect();
        insert_batch(connection, &logs, &events, &deliveries)
    });
    written.context("the bare loop")
}

impl Rows {
    /// Another action like it.
    fn copy(&self) -> (ActionLog, EventRow, NewDelivery) {
        let (mut log, mut event) = (self.log.clone(), self.event.clone());
        log.id = ActionLogId::sequential();
        event.id = EventId::sequential();
        event.action_log_id = Some(log.id);
        let payload = Payload::Webhook(event.id);
        let delivery = NewDelivery::at_once(self.destination, payload, event.insert_instant);
        (log, event, delivery)
    }
}
