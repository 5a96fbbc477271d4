//! What a claim and a settle cost beside a backlog of another webhook: the same at a
//! thousand rows as at a million, or one webhook's trouble would be everybody's.
//!
//! Time depends on the machine; rows read do not. PostgreSQL counts them.

use std::time::{Duration, Instant as Stopwatch};

use anyhow::{Context as _, Result};
use beadle_bench::owed::{
    NOW, ROWS, add, claim_all, delivered, policy, request, settle_all, write,
};
use beadle_bench::{Postgres, owed};
use beadle_common::db::{AnyConnection, Db, DbError, QueryResult, SqliteSynchronous};
use beadle_common::id::DestinationId;
use beadle_common::unix_millis::UnixMillis;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use serde_json::json;

use super::Bench;
use crate::figures::{Report, percentile};
use crate::fill;
use crate::system::Backend;

/// Rows of the other webhook that are due, if there are not many.
const FEW: usize = 1_000;
const ROUNDS: usize = 200;

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    for (backlog, history) in [(FEW, 0), (bench.rows, 0), (FEW, bench.history)] {
        let dir = tempfile::TempDir::with_prefix("beadle-bench-")?;
        let server = match bench.backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Postgres::start()?),
        };
        let url = match &server {
            Some(server) => server.url().to_owned(),
            None => format!("sqlite://{}", dir.path().join("beadle.db").display()),
        };
        let measured =
            tokio::task::spawn_blocking(move || measure(&url, backlog, history)).await??;
        let name = match history {
            0 => format!("claim beside {backlog}"),
            history => format!("claim beside {backlog}, {history} attempts"),
        };
        report.tell(
            &bench.name(&name),
            json!({
                "claim p50 ms": percentile(&measured.claims, 50),
                "claim p99 ms": percentile(&measured.claims, 99),
                "settle p50 ms": percentile(&measured.settles, 50),
                "settle p99 ms": percentile(&measured.settles, 99),
                "rows read per round": measured.rows_read,
            }),
        )?;
    }
    Ok(())
}

/// What a number of claims and settles took.
pub(super) struct Measured {
    /// Microseconds each.
    pub(super) claims: Vec<u64>,
    pub(super) settles: Vec<u64>,
    /// Of the outbox, in one claim and one settle; PostgreSQL only.
    pub(super) rows_read: Option<i64>,
}

/// Opens a database as durable as Beadle's own.
pub(super) fn open(url: &str) -> Result<Db> {
    owed::open(url, 2, SqliteSynchronous::Full)
}

fn measure(url: &str, backlog: usize, history: usize) -> Result<Measured> {
    let db = open(url)?;
    let crowded = DestinationId::random();
    write(&db, move |connection| fill(connection, crowded, backlog))?;
    fill::retried(&db, history)?;
    fill::analyze(&db)?;
    claims_and_settles(&db, crowded, NOW)
}

/// Claims and settles deliveries of a webhook of their own, beside whatever there is.
pub(super) fn claims_and_settles(
    db: &Db,
    crowded: DestinationId,
    now: UnixMillis,
) -> Result<Measured> {
    let other = DestinationId::random();
    let (policy, runtime) = (policy(), tokio::runtime::Handle::current());
    let (mut claims, mut settles, mut rows_read) = (Vec::new(), Vec::new(), None);
    // Statistics are a second late, and count from here.
    let before = read_so_far(db)?;
    for _ in 0..ROUNDS {
        write(db, move |connection| add(connection, other, now))?;
        let began = Stopwatch::now();
        let request = request(vec![crowded], now);
        let claimed = claim_all(db, request)?;
        claims.push(u64::try_from(began.elapsed().as_micros())?);
        anyhow::ensure!(claimed.len() == ROWS, "{} claimed", claimed.len());
        let batch = delivered(&claimed, now);
        let began = Stopwatch::now();
        runtime.block_on(settle_all(db, batch, &policy))?;
        settles.push(u64::try_from(began.elapsed().as_micros())?);
    }
    std::thread::sleep(Duration::from_secs(2));
    if let (Some(before), Some(after)) = (before, read_so_far(db)?) {
        rows_read = Some((after - before) / i64::try_from(ROUNDS)?);
    }
    Ok(Measured {
        claims,
        settles,
        rows_read,
    })
}

/// The backlog: due for as many milliseconds as it has rows.
fn fill(
    connection: &mut AnyConnection,
    destination: DestinationId,
    backlog: usize,
) -> QueryResult<()> {
    let destination = destination.uuid().simple().to_string();
    let due = NOW.millis();
    match connection {
        AnyConnection::Pg(connection) => connection.batch_execute(&format!(
            "INSERT INTO outbox (id, kind, destination, event_id, attempt, due_at, insert_instant)
             SELECT gen_random_uuid(), 0, '{destination}', gen_random_uuid(), 0, {due} - n, {due} - n
             FROM generate_series(1, {backlog}) n"
        )),
        AnyConnection::Sqlite(connection) => connection.batch_execute(&format!(
            "WITH RECURSIVE series(n) AS (
                SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {backlog})
             INSERT INTO outbox (id, kind, destination, event_id, attempt, due_at, insert_instant)
             SELECT randomblob(16), 0, x'{destination}', randomblob(16), 0, {due} - n, {due} - n
             FROM series"
        )),
    }
}

#[derive(diesel::QueryableByName)]
struct Read {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

fn read_so_far(db: &Db) -> Result<Option<i64>> {
    let read = db.read_blocking(|connection| match connection {
        AnyConnection::Sqlite(_) => Ok(None),
        AnyConnection::Pg(connection) => {
            let read: Read = diesel::sql_query(
                "SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS rows
                 FROM pg_stat_user_tables WHERE relname = 'outbox'",
            )
            .get_result(connection)?;
            Ok::<_, DbError>(Some(read.rows))
        }
    });
    read.context("the server counts what it reads")
}
