//! How near the taking of actions on SQLite comes to what the disk and SQLite allow: a bare
//! loop that writes the same rows into the same tables, in transactions of 64.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use beadle_common::db::{AnyConnection, Db, DbError, QueryResult};
use beadle_common::id::{ActionLogId, EventId};
use beadle_common::model::action_log::ActionLog;
use beadle_common::model::event::EventRow;
use beadle_common::outbox::{NewDelivery, Payload, insert};
use beadle_common::schema::{action_logs, events, outbox};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;

use super::claim::open;
use super::{Bench, PATIENCE};
use crate::figures::{Report, rate, round};
use crate::load::{Load, drive};
use crate::receiver::Receiver;
use crate::system::{Backend, Stock, System};

/// Actions before the clock starts.
const WARM_UP: usize = 500;

/// Actions of one transaction of the bare loop.
const TOGETHER: usize = 64;

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    if bench.backend != Backend::Sqlite {
        return Ok(());
    }
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

/// Nothing is delivered. The bare loop writes into a copy of the same file.
async fn without_worker(bench: &Bench<'_>) -> Result<(f64, f64)> {
    let receiver = Receiver::start()?;
    let plan = bench.plan(0).set("BEADLE_SQLITE_SYNCHRONOUS", "full");
    let mut system = System::start(plan).await?;
    let stock = Stock::make(&system, &[receiver.url("/ok/all/0")]).await?;
    drive(&system.api, &stock, load(bench, WARM_UP)).await?;
    let dir = tempfile::TempDir::with_prefix("beadle-bench-")?;
    let copy = dir.path().join("copy.db");
    let (from, to) = (system.database().to_owned(), copy.display().to_string());
    tokio::task::spawn_blocking(move || copied(&from, &to)).await??;
    let driven = drive(&system.api, &stock, load(bench, bench.actions)).await?;
    system.pause();
    let (url, actions) = (format!("sqlite://{}", copy.display()), bench.actions);
    let wall = tokio::task::spawn_blocking(move || bare_loop(&url, actions)).await??;
    Ok((rate(actions, driven.wall), rate(actions, wall)))
}

/// The worker of the same process delivers meanwhile.
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
    delivery: NewDelivery,
}

/// Writes as many actions; the rows are ready, but for their Ids.
fn bare_loop(url: &str, actions: usize) -> Result<Duration> {
    let db = open(url)?;
    let model = db.read_blocking(|connection| Ok::<_, DbError>(model(connection)?))?;
    write(&db, &model, TOGETHER)?;
    let began = Instant::now();
    let mut left = actions;
    while left > 0 {
        let together = left.min(TOGETHER);
        write(&db, &model, together)?;
        left -= together;
    }
    Ok(began.elapsed())
}

/// The rows of an action that was really taken.
fn model(connection: &mut AnyConnection) -> QueryResult<Rows> {
    let event: EventRow = events::table
        .select(EventRow::as_select())
        .first(connection)?;
    let log = action_logs::table.select(ActionLog::as_select());
    let lane = outbox::table.select(outbox::lane);
    Ok(Rows {
        log: log.first(connection)?,
        delivery: NewDelivery::at_once(
            lane.first(connection)?,
            Payload::Webhook(event.id),
            event.insert_instant,
        ),
        event,
    })
}

fn write(db: &Db, model: &Rows, together: usize) -> Result<()> {
    let mut rows = model.clone();
    db.write_blocking(move |connection| {
        for _ in 0..together {
            rows.log.id = ActionLogId::sequential();
            rows.event.id = EventId::sequential();
            rows.event.action_log_id = Some(rows.log.id);
            let payload = Payload::Webhook(rows.event.id);
            let instant = rows.event.insert_instant;
            rows.log.insert(connection)?;
            rows.event.insert(connection)?;
            insert(
                connection,
                &NewDelivery::at_once(rows.delivery.lane, payload, instant),
            )?;
        }
        Ok::<_, DbError>(())
    })
    .context("the bare loop")
}
