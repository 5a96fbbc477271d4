//! Takes rows: the only statement of a claim that writes to the outbox.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text};

use super::plan::Want;
use super::{ClaimRequest, count};
use crate::db::{AnyConnection, CachedSql, SqlUuid};
use crate::id::{DeliveryId, DestinationId, EmailId, EventId, LeaseToken};
use crate::outbox::{AttemptResult, KindCode, PRIORITY_RETRY};
use crate::schema::{attempts, outbox};
use crate::unix_millis::UnixMillis;

#[derive(Debug, QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub(super) id: DeliveryId,
    #[diesel(sql_type = SqlUuid)]
    pub(super) destination: DestinationId,
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
    pub(super) insert_instant: UnixMillis,
    #[diesel(sql_type = SmallInt)]
    pub(super) former_priority: i16,
    #[diesel(sql_type = BigInt)]
    pub(super) former_due_at: UnixMillis,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) body: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(super) config_epoch: i64,
}

/// Takes what is wanted, as far as it is there. A row that is taken has been tried. What
/// another worker had taken and never settled is put on record: nobody knows how it went. If
/// there is a record already, it stays: one odd row must not stop every claim.
pub(super) fn lease(
    connection: &mut AnyConnection,
    request: &ClaimRequest,
    token: LeaseToken,
    wants: &[Want],
) -> QueryResult<Vec<Row>> {
    match connection {
        AnyConnection::Pg(connection) => lease_postgres(connection, request, token, wants),
        AnyConnection::Sqlite(connection) => lease_sqlite(connection, request, token, wants),
    }
}

/// A number of rows that differs from destination to destination is one that the planner cannot see, and it
/// would rather sort a backlog. So it sees a thousand, of which no more are read, or locked,
/// than are wanted. Then they are looked up one by one; see `settle/postgres`.
///
/// A few rows bring along what is sent: whoever waits for a lone action waits for each round
/// trip. Many would bring a body once for each webhook that it goes to.
pub(in crate::outbox) const LEASE_POSTGRES: &str = "
WITH picked AS (
    SELECT due.*
    FROM unnest($1, $2, $3) AS want(destination, priority, number) CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT id, lease_token IS NOT NULL AS lease_expired, priority AS former_priority,
                due_at AS former_due_at, lease_owner AS former_owner
            FROM outbox
            WHERE kind = $4 AND destination = want.destination AND priority = want.priority AND due_at <= $5
            ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED
        ) first LIMIT want.number
    ) due
), taken AS (
    UPDATE outbox
    SET attempt = attempt + 1, priority = 1, due_at = $6, lease_token = $7, lease_owner = $8
    FROM picked WHERE outbox.id = ANY (ARRAY[picked.id])
    RETURNING outbox.id, destination, event_id, email_id, recipient, attempt, base_attempt,
        insert_instant, lease_expired, former_priority, former_due_at, former_owner
), lapses AS (
    INSERT INTO attempts (delivery_id, number, instant, result, class, message)
    SELECT id, attempt - 1, former_due_at, 'Unknown', 'unknown', 'the lease of '
        || COALESCE(former_owner, 'a worker') || ' lapsed before it said how the attempt went'
    FROM taken WHERE lease_expired ON CONFLICT DO NOTHING
)
SELECT id, destination, event_id, email_id, recipient, attempt, base_attempt, insert_instant,
    former_priority, former_due_at,
    CASE WHEN count(*) OVER () <= 4 THEN
        (SELECT body FROM events WHERE events.id = taken.event_id)
    END AS body,
    (SELECT epoch FROM config_epoch WHERE config_epoch.id = 1) AS config_epoch
FROM taken";

fn lease_postgres(
    connection: &mut PgConnection,
    request: &ClaimRequest,
    token: LeaseToken,
    wants: &[Want],
) -> QueryResult<Vec<Row>> {
    let destinations: Vec<DestinationId> = wants.iter().map(|want| want.destination).collect();
    let priorities: Vec<i16> = wants.iter().map(|want| want.priority).collect();
    let numbers: Vec<i64> = wants.iter().map(|want| count(want.rows)).collect();
    let take = diesel::sql_query(LEASE_POSTGRES)
        .bind::<Array<SqlUuid>, _>(destinations)
        .bind::<Array<SmallInt>, _>(priorities)
        .bind::<Array<BigInt>, _>(numbers)
        .bind::<SmallInt, _>(KindCode::from(request.kind))
        .bind::<BigInt, _>(request.now)
        .bind::<BigInt, _>(request.lease_end)
        .bind::<SqlUuid, _>(token)
        .bind::<Text, _>(&request.owner);
    CachedSql(take).load(connection)
}

/// A row that is due, as it stands.
#[derive(QueryableByName)]
struct Due {
    #[diesel(embed)]
    taken: Row,
    #[diesel(sql_type = Bool)]
    lease_expired: bool,
    #[diesel(sql_type = Nullable<Text>)]
    former_owner: Option<String>,
}

/// SQLite would plan by the value of a limit, and compile the statement anew for each, but
/// does not look into a sum.
pub(super) const DUE_SQLITE: &str = "
SELECT id, destination, event_id, email_id, recipient, attempt + 1 AS attempt, base_attempt,
       insert_instant, lease_token IS NOT NULL AS lease_expired, priority AS former_priority,
       due_at AS former_due_at, lease_owner AS former_owner, NULL AS body,
       (SELECT epoch FROM config_epoch WHERE config_epoch.id = 1) AS config_epoch
FROM outbox WHERE kind = ?1 AND destination = ?2 AND priority = ?3 AND due_at <= ?4
ORDER BY due_at LIMIT ?5 + 0";

fn lease_sqlite(
    connection: &mut SqliteConnection,
    request: &ClaimRequest,
    token: LeaseToken,
    wants: &[Want],
) -> QueryResult<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    for want in wants {
        let due = diesel::sql_query(DUE_SQLITE)
            .bind::<SmallInt, _>(KindCode::from(request.kind))
            .bind::<SqlUuid, _>(want.destination)
            .bind::<SmallInt, _>(want.priority)
            .bind::<BigInt, _>(request.now)
            .bind::<BigInt, _>(count(want.rows));
        let due: Vec<Due> = CachedSql(due).load(connection)?;
        for due in due {
            lease_row(connection, &due.taken, request, token)?;
            if due.lease_expired {
                record_lapse(connection, &due)?;
            }
            rows.push(due.taken);
        }
    }
    Ok(rows)
}

fn lease_row(
    connection: &mut SqliteConnection,
    row: &Row,
    request: &ClaimRequest,
    token: LeaseToken,
) -> QueryResult<()> {
    diesel::update(outbox::table.find(row.id))
        .set((
            outbox::attempt.eq(row.attempt),
            outbox::priority.eq(PRIORITY_RETRY),
            outbox::due_at.eq(request.lease_end),
            outbox::lease_token.eq(Some(token)),
            outbox::lease_owner.eq(Some(&request.owner)),
        ))
        .execute(connection)?;
    Ok(())
}

fn record_lapse(connection: &mut SqliteConnection, due: &Due) -> QueryResult<()> {
    let owner = due.former_owner.as_deref().unwrap_or("a worker");
    diesel::insert_into(attempts::table)
        .values((
            attempts::delivery_id.eq(due.taken.id),
            attempts::number.eq(due.taken.attempt - 1),
            attempts::instant.eq(due.taken.former_due_at),
            attempts::result.eq(AttemptResult::Unknown),
            attempts::class.eq("unknown"),
            attempts::message.eq(format!(
                "the lease of {owner} lapsed before it said how the attempt went"
            )),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(())
}
