//! Claim: take due deliveries for a while.
//!
//! The cost must grow neither with delivered history nor with the backlog of one
//! lane. So the claim walks the index `(kind, lane, tier, due_at)` from lane to lane (a
//! loose index scan: one step per lane, however many rows it has), keeps the lanes
//! whose first row is due, and takes at most a few rows of each.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text};

use super::{AttemptResult, Kind, KindCode, Payload};
use crate::db::{AnyConnection, Native, SqlUuid};
use crate::id::{DeliveryId, EmailId, EventId, LaneId, LeaseToken};
use crate::instant::Instant;
use crate::schema::{attempts, outbox};

/// Lanes looked at in one claim. Those that wait longest come first, so that the
/// others get their turn in the next.
const LANES: i64 = 256;

/// What to claim.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// Which kind.
    pub kind: Kind,
    /// The clock.
    pub now: Instant,
    /// Until when the rows are the claimer's.
    pub lease_end: Instant,
    /// Who claims, for operators to read.
    pub owner: String,
    /// Rows at most.
    pub limit: usize,
    /// Rows of one lane at most.
    pub per_lane: usize,
    /// Of which lanes.
    pub lanes: Lanes,
}

/// Which lanes to claim from. The others cost neither attempts nor scanned rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lanes {
    /// All but these.
    AllBut(Vec<LaneId>),
    /// These only.
    Only(Vec<LaneId>),
}

impl Lanes {
    /// The lanes named, and whether it is these that are wanted.
    fn named(&self) -> (&[LaneId], bool) {
        match self {
            Self::AllBut(lanes) => (lanes, false),
            Self::Only(lanes) => (lanes, true),
        }
    }
}

/// A delivery that is the claimer's until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub id: DeliveryId,
    /// Its lane.
    pub lane: LaneId,
    /// What is delivered.
    pub payload: Payload,
    /// The number of the attempt that is to be made now, from 1. It counts from the
    /// claim on, so that a payload that kills the process still meets its limit.
    pub attempt: i32,
    /// The right to settle.
    pub token: LeaseToken,
    /// When the delivery came to be owed.
    pub insert_instant: Instant,
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: DeliveryId,
    #[diesel(sql_type = SqlUuid)]
    lane: LaneId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    event_id: Option<EventId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    email_id: Option<EmailId>,
    #[diesel(sql_type = Nullable<Text>)]
    recipient: Option<String>,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = BigInt)]
    insert_instant: Instant,
    #[diesel(sql_type = Bool)]
    lapsed: bool,
    #[diesel(sql_type = BigInt)]
    former_due_at: Instant,
    #[diesel(sql_type = Nullable<Text>)]
    former_owner: Option<String>,
}

impl Row {
    fn claimed(self, token: LeaseToken) -> Option<Claimed> {
        let payload = match (self.event_id, self.email_id) {
            (Some(event), _) => Payload::Webhook(event),
            (None, Some(email)) => Payload::Email(email, self.recipient.unwrap_or_default()),
            (None, None) => return None,
        };
        Some(Claimed {
            id: self.id,
            lane: self.lane,
            payload,
            attempt: self.attempt,
            token,
            insert_instant: self.insert_instant,
        })
    }
}

/// Takes what is due. Call it in a write transaction.
///
/// # Errors
/// Those of the database.
pub fn claim(connection: &mut AnyConnection, request: &ClaimRequest) -> QueryResult<Vec<Claimed>> {
    let token = LeaseToken::random();
    let rows = match connection {
        AnyConnection::Pg(connection) => claim_postgres(connection, request, token)?,
        AnyConnection::Sqlite(connection) => claim_sqlite(connection, request, token)?,
    };
    for row in rows.iter().filter(|row| row.lapsed) {
        record_lapse(connection, row)?;
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| row.claimed(token))
        .collect())
}

/// The attempt of a worker that never settled: nobody knows how it went. What is on
/// record already stays: one odd row must not stop every claim.
fn record_lapse(connection: &mut AnyConnection, row: &Row) -> QueryResult<()> {
    let owner = row.former_owner.as_deref().unwrap_or("a worker");
    let attempt = diesel::insert_into(attempts::table)
        .values((
            attempts::delivery_id.eq(row.id),
            attempts::number.eq(row.attempt - 1),
            attempts::instant.eq(row.former_due_at),
            attempts::result.eq(AttemptResult::Unknown),
            attempts::class.eq("unknown"),
            attempts::message.eq(format!(
                "the lease of {owner} lapsed before it said how the attempt went"
            )),
        ))
        .on_conflict_do_nothing();
    Native(attempt).execute(connection)?;
    Ok(())
}

const CLAIM_POSTGRES: &str = "
WITH RECURSIVE lanes AS (
    (SELECT lane, due_at FROM outbox WHERE kind = $1 ORDER BY lane, tier, due_at LIMIT 1)
    UNION ALL
    SELECT following.lane, following.due_at
    FROM lanes CROSS JOIN LATERAL (
        SELECT lane, due_at FROM outbox
        WHERE kind = $1 AND lane > lanes.lane ORDER BY lane, tier, due_at LIMIT 1
    ) following
), eligible AS (
    SELECT lane FROM lanes
    WHERE due_at <= $2 AND (lane = ANY($3)) = $10
    ORDER BY due_at LIMIT $4
), picked AS (
    SELECT due.id, due.lease_token IS NOT NULL AS lapsed, due.due_at AS former_due_at,
           due.lease_owner AS former_owner
    FROM eligible CROSS JOIN LATERAL (
        SELECT id, lease_token, due_at, lease_owner FROM outbox
        WHERE kind = $1 AND lane = eligible.lane AND tier = 0 AND due_at <= $2
        ORDER BY due_at LIMIT $5 FOR UPDATE SKIP LOCKED
    ) due
    LIMIT $6
)
UPDATE outbox SET attempt = attempt + 1, due_at = $7, lease_token = $8, lease_owner = $9
FROM picked WHERE outbox.id = picked.id
RETURNING outbox.id, lane, event_id, email_id, recipient, attempt, insert_instant,
          lapsed, former_due_at, former_owner";

fn claim_postgres(
    connection: &mut PgConnection,
    request: &ClaimRequest,
    token: LeaseToken,
) -> QueryResult<Vec<Row>> {
    let (named, wanted) = request.lanes.named();
    diesel::sql_query(CLAIM_POSTGRES)
        .bind::<SmallInt, _>(KindCode::from(request.kind))
        .bind::<BigInt, _>(request.now)
        .bind::<Array<SqlUuid>, _>(named)
        .bind::<BigInt, _>(LANES)
        .bind::<BigInt, _>(count(request.per_lane))
        .bind::<BigInt, _>(count(request.limit))
        .bind::<BigInt, _>(request.lease_end)
        .bind::<SqlUuid, _>(token)
        .bind::<Text, _>(&request.owner)
        .bind::<Bool, _>(wanted)
        .load(connection)
}

/// One row per lane that has any, with its earliest due time.
const LANES_SQLITE: &str = "
WITH RECURSIVE lanes(lane, due_at) AS (
    SELECT lane, due_at FROM (
        SELECT lane, due_at FROM outbox WHERE kind = ?1 ORDER BY lane, tier, due_at LIMIT 1)
    UNION ALL
    SELECT following.lane, following.due_at
    FROM lanes JOIN outbox following ON following.id = (
        SELECT id FROM outbox
        WHERE kind = ?1 AND lane > lanes.lane ORDER BY lane, tier, due_at LIMIT 1)
)
SELECT lane, due_at FROM lanes ORDER BY due_at";

const LANES_POSTGRES: &str = "
WITH RECURSIVE lanes AS (
    (SELECT lane, due_at FROM outbox WHERE kind = $1 ORDER BY lane, tier, due_at LIMIT 1)
    UNION ALL
    SELECT following.lane, following.due_at
    FROM lanes CROSS JOIN LATERAL (
        SELECT lane, due_at FROM outbox
        WHERE kind = $1 AND lane > lanes.lane ORDER BY lane, tier, due_at LIMIT 1
    ) following
)
SELECT lane, due_at FROM lanes ORDER BY due_at";

#[derive(Debug, QueryableByName)]
struct Lane {
    #[diesel(sql_type = SqlUuid)]
    lane: LaneId,
    #[diesel(sql_type = BigInt)]
    due_at: Instant,
}

const DUE_SQLITE: &str = "
SELECT id, lane, event_id, email_id, recipient, attempt + 1 AS attempt, insert_instant,
       lease_token IS NOT NULL AS lapsed, due_at AS former_due_at, lease_owner AS former_owner
FROM outbox WHERE kind = ?1 AND lane = ?2 AND tier = 0 AND due_at <= ?3 ORDER BY due_at LIMIT ?4";

fn claim_sqlite(
    connection: &mut SqliteConnection,
    request: &ClaimRequest,
    token: LeaseToken,
) -> QueryResult<Vec<Row>> {
    let lanes: Vec<Lane> = diesel::sql_query(LANES_SQLITE)
        .bind::<SmallInt, _>(KindCode::from(request.kind))
        .load(connection)?;
    let (named, wanted) = request.lanes.named();
    let named: HashSet<&LaneId> = named.iter().collect();
    let eligible = lanes
        .into_iter()
        .filter(|lane| lane.due_at <= request.now && named.contains(&lane.lane) == wanted);
    let mut rows: Vec<Row> = Vec::new();
    for lane in eligible {
        let free = request.limit.saturating_sub(rows.len());
        if free == 0 {
            break;
        }
        let due: Vec<Row> = diesel::sql_query(DUE_SQLITE)
            .bind::<SmallInt, _>(KindCode::from(request.kind))
            .bind::<SqlUuid, _>(lane.lane)
            .bind::<BigInt, _>(request.now)
            .bind::<BigInt, _>(count(free.min(request.per_lane)))
            .load(connection)?;
        rows.extend(due);
    }
    for row in &rows {
        diesel::update(outbox::table.find(row.id))
            .set((
                outbox::attempt.eq(row.attempt),
                outbox::due_at.eq(request.lease_end),
                outbox::lease_token.eq(Some(token)),
                outbox::lease_owner.eq(Some(&request.owner)),
            ))
            .execute(connection)?;
    }
    Ok(rows)
}

/// When the next delivery of this kind is due, leases that may lapse included.
/// Lanes in `skip` do not count.
///
/// # Errors
/// Those of the database.
pub fn next_due(
    connection: &mut AnyConnection,
    kind: Kind,
    skip: &[LaneId],
) -> QueryResult<Option<Instant>> {
    let kind = KindCode::from(kind);
    let lanes: Vec<Lane> = match connection {
        AnyConnection::Pg(connection) => diesel::sql_query(LANES_POSTGRES)
            .bind::<SmallInt, _>(kind)
            .load(connection)?,
        AnyConnection::Sqlite(connection) => diesel::sql_query(LANES_SQLITE)
            .bind::<SmallInt, _>(kind)
            .load(connection)?,
    };
    let skip: HashSet<&LaneId> = skip.iter().collect();
    Ok(lanes
        .into_iter()
        .find(|lane| !skip.contains(&lane.lane))
        .map(|lane| lane.due_at))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
