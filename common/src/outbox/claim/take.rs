//! Takes rows: the only statement of a claim that writes to the outbox.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text};

use super::plan::Want;
use super::{ClaimRequest, count};
use crate::db::{AnyConnection, Prepared, SqlUuid, plan_by_values};
use crate::id::{DeliveryId, EmailId, EventId, LaneId, LeaseToken};
use crate::instant::Instant;
use crate::outbox::{KindCode, RETRIED};
use crate::schema::outbox;

#[derive(Debug, QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub(super) id: DeliveryId,
    #[diesel(sql_type = SqlUuid)]
    pub(super) lane: LaneId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(super) event_id: Option<EventId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(super) email_id: Option<EmailId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) recipient: Option<String>,
    #[diesel(sql_type = Integer)]
    pub(super) attempt: i32,
    #[diesel(sql_type = Integer)]
    pub(super) base_attempt: i32,
    #[diesel(sql_type = BigInt)]
    pub(super) insert_instant: Instant,
    #[diesel(sql_type = Bool)]
    pub(super) lapsed: bool,
    #[diesel(sql_type = SmallInt)]
    pub(super) former_tier: i16,
    #[diesel(sql_type = BigInt)]
    pub(super) former_due_at: Instant,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) former_owner: Option<String>,
}

/// Takes what is wanted, as far as it is there. A row that is taken has been tried.
pub(super) fn take(
    connection: &mut AnyConnection,
    request: &ClaimRequest,
    token: LeaseToken,
    wants: &[Want],
) -> QueryResult<Vec<Row>> {
    match connection {
        AnyConnection::Pg(connection) => take_postgres(connection, request, token, wants),
        AnyConnection::Sqlite(connection) => take_sqlite(connection, request, token, wants),
    }
}

pub(super) const TAKE_POSTGRES: &str = "
WITH picked AS (
    SELECT due.*
    FROM unnest($1, $2) AS want(lane, tier) CROSS JOIN LATERAL (
        SELECT id, lease_token IS NOT NULL AS lapsed, tier AS former_tier,
               due_at AS former_due_at, lease_owner AS former_owner
        FROM outbox
        WHERE kind = $3 AND lane = want.lane AND tier = want.tier AND due_at <= $4
        ORDER BY due_at LIMIT $5 FOR UPDATE SKIP LOCKED
    ) due
)
UPDATE outbox
SET attempt = attempt + 1, tier = 1, due_at = $6, lease_token = $7, lease_owner = $8
FROM picked WHERE outbox.id = picked.id
RETURNING outbox.id, lane, event_id, email_id, recipient, attempt, base_attempt,
          insert_instant, lapsed, former_tier, former_due_at, former_owner";

/// One statement for each number of rows: a limit that differs from row to row is one
/// that the planner cannot see, and it would rather sort a backlog.
fn take_postgres(
    connection: &mut PgConnection,
    request: &ClaimRequest,
    token: LeaseToken,
    wants: &[Want],
) -> QueryResult<Vec<Row>> {
    let mut by_rows = BTreeMap::<usize, (Vec<LaneId>, Vec<i16>)>::new();
    for want in wants {
        let (lanes, tiers) = by_rows.entry(want.rows).or_default();
        lanes.push(want.lane);
        tiers.push(want.tier);
    }
    plan_by_values(connection)?;
    let mut taken = Vec::new();
    for (rows, (lanes, tiers)) in by_rows {
        let take = diesel::sql_query(TAKE_POSTGRES)
            .bind::<Array<SqlUuid>, _>(lanes)
            .bind::<Array<SmallInt>, _>(tiers)
            .bind::<SmallInt, _>(KindCode::from(request.kind))
            .bind::<BigInt, _>(request.now)
            .bind::<BigInt, _>(count(rows))
            .bind::<BigInt, _>(request.lease_end)
            .bind::<SqlUuid, _>(token)
            .bind::<Text, _>(&request.owner);
        let mut rows: Vec<Row> = Prepared(take).load(connection)?;
        taken.append(&mut rows);
    }
    Ok(taken)
}

pub(super) const DUE_SQLITE: &str = "
SELECT id, lane, event_id, email_id, recipient, attempt + 1 AS attempt, base_attempt,
       insert_instant, lease_token IS NOT NULL AS lapsed, tier AS former_tier,
       due_at AS former_due_at, lease_owner AS former_owner
FROM outbox WHERE kind = ?1 AND lane = ?2 AND tier = ?3 AND due_at <= ?4
ORDER BY due_at LIMIT ?5";

fn take_sqlite(
    connection: &mut SqliteConnection,
    request: &ClaimRequest,
    token: LeaseToken,
    wants: &[Want],
) -> QueryResult<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    for want in wants {
        let due = diesel::sql_query(DUE_SQLITE)
            .bind::<SmallInt, _>(KindCode::from(request.kind))
            .bind::<SqlUuid, _>(want.lane)
            .bind::<SmallInt, _>(want.tier)
            .bind::<BigInt, _>(request.now)
            .bind::<BigInt, _>(count(want.rows));
        let due: Vec<Row> = Prepared(due).load(connection)?;
        rows.extend(due);
    }
    for row in &rows {
        diesel::update(outbox::table.find(row.id))
            .set((
                outbox::attempt.eq(row.attempt),
                outbox::tier.eq(RETRIED),
                outbox::due_at.eq(request.lease_end),
                outbox::lease_token.eq(Some(token)),
                outbox::lease_owner.eq(Some(&request.owner)),
            ))
            .execute(connection)?;
    }
    Ok(rows)
}
