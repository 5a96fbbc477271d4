//! What a claim and a settle cost beside a backlog of another webhook: the same at a
//! thousand rows as at a million, or one webhook's trouble would be everybody's.
//!
//! Time depends on the machine; rows read do not. PostgreSQL counts them.

use std::time::{Duration, Instant as Stopwatch};

use anyhow::{Context as _, Result};
use beadle_common::db::{
    AnyConnection, Db, DbError, DbOptions, IfMissing, QueryResult, SqliteSynchronous,
};
use beadle_common::id::{DeliveryId, EventId, LaneId};
use beadle_common::instant::Instant;
use beadle_common::mail::Setup;
use beadle_common::model::email::Mailbox;
use beadle_common::outbox::{
    AttemptRecord, AttemptResult, ClaimRequest, Claimed, DeliveryState, Judgement, Kind,
    LanePolicy, Lanes, NewDelivery, Payload, Settlement, Verdict, claim, insert, settle,
    settle_plain,
};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use serde_json::json;

use super::Bench;
use crate::figures::{Report, percentile};
use crate::fill;
use crate::system::{Backend, Postgres};

/// Rows of the other webhook that are due, if there are not many.
const FEW: usize = 1_000;
const ROUNDS: usize = 200;
/// Deliveries of a round.
const ROWS: usize = 10;
const NOW: Instant = Instant::from_millis(1_750_000_000_000);
const LEASE: Duration = Duration::from_secs(60);

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    for (backlog, history) in [(FEW, 0), (bench.rows, 0), (FEW, bench.history)] {
        let dir = tempfile::TempDir::with_prefix("beadle-bench-")?;
        let server = match bench.backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Postgres::start().await?),
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

/// Opens a database without Beadle around it.
pub(super) fn open(url: &str) -> Result<Db> {
    let db = Db::open(&DbOptions {
        url: url.parse()?,
        connections: 2,
        synchronous: SqliteSynchronous::Full,
        if_missing: IfMissing::Create,
    })?;
    Ok(db.by_index())
}

fn measure(url: &str, backlog: usize, history: usize) -> Result<Measured> {
    let db = open(url)?;
    let crowded = LaneId::random();
    write(&db, move |connection| fill(connection, crowded, backlog))?;
    fill::retried(&db, history)?;
    fill::analyze(&db)?;
    claims_and_settles(&db, crowded, NOW)
}

/// Claims and settles deliveries of a webhook of their own, beside whatever there is.
pub(super) fn claims_and_settles(db: &Db, crowded: LaneId, now: Instant) -> Result<Measured> {
    let other = LaneId::random();
    let policy = policy();
    let (mut claims, mut settles, mut rows_read) = (Vec::new(), Vec::new(), None);
    // Statistics are a second late, and count from here.
    let before = read_so_far(db)?;
    for _ in 0..ROUNDS {
        write(db, move |connection| add(connection, other, now))?;
        let began = Stopwatch::now();
        let request = request(crowded, now);
        let claimed = db.write_in_steps_blocking(move |c| Ok::<_, DbError>(claim(c, &request)?))?;
        claims.push(u64::try_from(began.elapsed().as_micros())?);
        anyhow::ensure!(claimed.len() == ROWS, "{} claimed", claimed.len());
        let batch: Vec<Settlement> = claimed.iter().map(|row| delivered(row, now)).collect();
        let began = Stopwatch::now();
        settle_all(db, batch, &policy)?;
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

/// As a worker does: most of it, or all, without a transaction.
fn settle_all(db: &Db, mut batch: Vec<Settlement>, policy: &LanePolicy) -> Result<()> {
    let plain = tokio::runtime::Handle::current().block_on(settle_plain(db, &batch))?;
    batch.retain(|settlement| !plain.contains(&(settlement.id, settlement.token)));
    if !batch.is_empty() {
        let policy = policy.clone();
        write(db, move |connection| settle(connection, &batch, &policy))?;
    }
    Ok(())
}

fn write<T: Send + 'static>(
    db: &Db,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
) -> Result<T> {
    Ok(db.write_blocking(move |connection| Ok::<_, DbError>(work(connection)?))?)
}

/// The backlog: due for as many milliseconds as it has rows.
fn fill(connection: &mut AnyConnection, lane: LaneId, backlog: usize) -> QueryResult<()> {
    let lane = lane.uuid().simple().to_string();
    let due = NOW.millis();
    match connection {
        AnyConnection::Pg(connection) => connection.batch_execute(&format!(
            "INSERT INTO outbox (id, kind, lane, event_id, attempt, due_at, insert_instant)
             SELECT gen_random_uuid(), 0, '{lane}', gen_random_uuid(), 0, {due} - n, {due} - n
             FROM generate_series(1, {backlog}) n"
        )),
        AnyConnection::Sqlite(connection) => connection.batch_execute(&format!(
            "WITH RECURSIVE series(n) AS (
                SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {backlog})
             INSERT INTO outbox (id, kind, lane, event_id, attempt, due_at, insert_instant)
             SELECT randomblob(16), 0, x'{lane}', randomblob(16), 0, {due} - n, {due} - n
             FROM series"
        )),
    }
}

fn add(connection: &mut AnyConnection, lane: LaneId, now: Instant) -> QueryResult<()> {
    for _ in 0..ROWS {
        let delivery = NewDelivery {
            id: DeliveryId::sequential(),
            lane,
            payload: Payload::Webhook(EventId::sequential()),
            due_at: now,
            insert_instant: now,
        };
        insert(connection, &delivery)?;
    }
    Ok(())
}

/// The crowded lane has all that it may have in flight.
fn request(crowded: LaneId, now: Instant) -> ClaimRequest {
    ClaimRequest {
        kind: Kind::Webhook,
        now,
        lease_end: now.plus(LEASE),
        owner: "bench".to_owned(),
        limit: 100,
        per_lane: ROWS,
        lanes: Lanes {
            closed: vec![crowded],
            ..Lanes::default()
        },
    }
}

fn delivered(claimed: &Claimed, now: Instant) -> Settlement {
    Settlement {
        id: claimed.id,
        lane: claimed.lane,
        token: claimed.token,
        attempt: claimed.attempt,
        record: Some(AttemptRecord {
            instant: now,
            duration_millis: 1,
            result: AttemptResult::Success,
            status_code: Some(200),
            class: None,
            message: None,
            response_excerpt: None,
        }),
        verdict: Verdict::Finished(DeliveryState::Delivered),
        judgement: Judgement::Good,
        probe: None,
        now,
    }
}

fn policy() -> LanePolicy {
    LanePolicy {
        disable_after: None,
        mail: Setup {
            mail_from: Mailbox {
                address: "bench@localhost".to_owned(),
                display: None,
            },
            base_url: None,
        },
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
