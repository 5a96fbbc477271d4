//! Settling on PostgreSQL: one statement for each kind of disposition.
//!
//! Rows of the outbox are looked up by `id = ANY (ARRAY[…])`, one by one. Of a plain `=`
//! PostgreSQL may make a merge, for which it reads the whole index.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};

use super::{Disposition, Settlement, Written, attempts_made};
use crate::db::{CachedSql, SqlUuid};
use crate::id::{DeliveryId, DestinationId, LeaseToken, UserId};
use crate::outbox::order::Queue;
use crate::outbox::{AttemptResult, DeliveryState};
use crate::unix_millis::UnixMillis;

/// A statement whose first twelve parameters are columns.
macro_rules! bound {
    ($columns:expr, $sql:expr) => {
        diesel::sql_query($sql)
            .bind::<Array<SqlUuid>, _>(&$columns.id)
            .bind::<Array<SqlUuid>, _>(&$columns.token)
            .bind::<Array<Text>, _>(&$columns.state)
            .bind::<Array<Integer>, _>(&$columns.attempt)
            .bind::<Array<BigInt>, _>(&$columns.at)
            .bind::<Array<Nullable<BigInt>>, _>(&$columns.instant)
            .bind::<Array<Nullable<Integer>>, _>(&$columns.duration)
            .bind::<Array<Nullable<Text>>, _>(&$columns.result)
            .bind::<Array<Nullable<Integer>>, _>(&$columns.status)
            .bind::<Array<Nullable<Text>>, _>(&$columns.class)
            .bind::<Array<Nullable<Text>>, _>(&$columns.message)
            .bind::<Array<Nullable<Text>>, _>(&$columns.excerpt)
    };
}

/// A batch as columns, the way `unnest` takes it.
#[derive(Debug, Default)]
struct Columns<'a> {
    id: Vec<DeliveryId>,
    token: Vec<LeaseToken>,
    state: Vec<&'a str>,
    attempt: Vec<i32>,
    at: Vec<UnixMillis>,
    instant: Vec<Option<UnixMillis>>,
    duration: Vec<Option<i32>>,
    result: Vec<Option<AttemptResult>>,
    status: Vec<Option<i32>>,
    class: Vec<Option<&'a str>>,
    message: Vec<Option<&'a str>>,
    excerpt: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, settlement: &'a Settlement, state: &'a str, attempt: i32, at: UnixMillis) {
        let record = settlement.record.as_ref();
        self.id.push(settlement.id);
        self.token.push(settlement.token);
        self.state.push(state);
        self.attempt.push(attempt);
        self.at.push(at);
        self.instant.push(record.map(|r| r.instant));
        self.duration.push(record.map(|r| r.duration_millis));
        self.result.push(record.map(|r| r.result));
        self.status.push(record.and_then(|r| r.status_code));
        self.class.push(record.and_then(|r| r.class.as_deref()));
        self.message.push(record.and_then(|r| r.message.as_deref()));
        self.excerpt
            .push(record.and_then(|r| r.response_excerpt.as_deref()));
    }

    /// As [`Columns::push`]: it leaves the outbox.
    fn push_finished(&mut self, settlement: &'a Settlement, state: DeliveryState) {
        let attempts = attempts_made(settlement);
        self.push(settlement, state.as_str(), attempts, settlement.now);
    }

    /// Runs `sql`, whose twelve parameters are these columns, and counts its rows.
    fn run(&self, connection: &mut PgConnection, sql: &'static str) -> QueryResult<usize> {
        match self.id.is_empty() {
            true => Ok(0),
            false => CachedSql(bound!(self, sql)).execute(connection),
        }
    }
}

macro_rules! with_input {
    ($rest:literal) => {
        concat!(
            "WITH input AS (
                SELECT unnest($1) AS id, unnest($2) AS token, unnest($3) AS state,
                    unnest($4) AS number, unnest($5) AS at, unnest($6) AS instant,
                    unnest($7) AS duration_millis, unnest($8) AS result,
                    unnest($9) AS status_code, unnest($10) AS class, unnest($11) AS message,
                    unnest($12) AS response_excerpt), ",
            $rest
        )
    };
}

/// What the outbox knows is copied by the database. Of what was erased meanwhile only how it
/// went is kept, not what anybody said.
macro_rules! finish {
    ($condition:literal, $returned:literal) => {
        concat!(
            with_input!(
                "gone AS (
                DELETE FROM outbox USING input
                WHERE outbox.id = ANY (ARRAY[input.id]) AND lease_token = token"
            ),
            $condition,
            " RETURNING outbox.id, token, order_key, kind, destination, event_id, email_id, recipient,
                insert_instant, state, number, at, instant, duration_millis, result,
                status_code, class, message, response_excerpt, erased),
            written AS (
                INSERT INTO deliveries (id, kind, destination, event_id, email_id, recipient,
                    insert_instant, state, attempt, settle_instant, attempt_instant,
                    duration_millis, result, status_code, class, message, response_excerpt)
                SELECT id, kind, destination, event_id, email_id, recipient, insert_instant, state,
                    number, at, instant, duration_millis, result, status_code, class,
                    CASE WHEN NOT erased THEN message END,
                    CASE WHEN NOT erased THEN response_excerpt END
                FROM gone)
            SELECT ",
            $returned,
            " FROM gone"
        )
    };
}

pub(in crate::outbox) const FINISH_POSTGRES: &str = finish!("", "destination, order_key");

/// Takes only what keeps no order, in destinations that a success makes no difference to: as
/// `destinations::known_to_fail` has it.
pub(in crate::outbox) const FINISH_PLAIN_POSTGRES: &str = finish!(
    " AND order_key IS NULL AND destination <> ALL (ARRAY(
        SELECT destination_states.destination FROM destination_states
        WHERE destination_states.destination = ANY ($13) AND (failures > 0 OR throttles > 0)))",
    "id, token"
);

/// A delivery that has left.
#[derive(QueryableByName)]
struct Gone {
    #[diesel(sql_type = SqlUuid)]
    destination: DestinationId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    order_key: Option<UserId>,
}

/// A lease that has ended.
#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = SqlUuid)]
    id: DeliveryId,
    #[diesel(sql_type = SqlUuid)]
    token: LeaseToken,
}

/// In place of a state: the schedule begins anew.
const ANEW: &str = "anew";

/// Counts the attempts written; every retry has one. What is written comes with the row
/// that was updated: a batch may hold an earlier lease of it, which has lapsed.
pub(in crate::outbox) const RETRY_POSTGRES: &str = with_input!(
    "kept AS (
        UPDATE outbox SET due_at = at, lease_token = NULL, lease_owner = NULL,
            base_attempt = CASE WHEN state = 'anew' THEN number ELSE base_attempt END
        FROM input WHERE outbox.id = ANY (ARRAY[input.id]) AND lease_token = token
        RETURNING outbox.id, number, instant, duration_millis, result, status_code, class,
            CASE WHEN NOT erased THEN message END AS message,
            CASE WHEN NOT erased THEN response_excerpt END AS response_excerpt)
    INSERT INTO attempts (delivery_id, number, instant, duration_millis, result,
        status_code, class, message, response_excerpt)
    SELECT * FROM kept
    RETURNING 1"
);

pub(in crate::outbox) const HAND_BACK_POSTGRES: &str = with_input!(
    "nothing AS (SELECT)
    UPDATE outbox SET attempt = number, due_at = at, lease_token = NULL, lease_owner = NULL,
        priority = CASE WHEN number = 0 THEN 0 ELSE 1 END
    FROM input WHERE outbox.id = ANY (ARRAY[input.id]) AND lease_token = token
    RETURNING 1"
);

/// Settles a batch, as far as it is the settler's.
pub(super) fn settle(connection: &mut PgConnection, batch: &[Settlement]) -> QueryResult<Written> {
    let mut finished = Columns::default();
    let mut retried = Columns::default();
    let mut handed_back = Columns::default();
    for settlement in batch {
        match settlement.disposition {
            Disposition::Finished(state) => finished.push_finished(settlement, state),
            Disposition::Retry { at } if settlement.record.is_some() => {
                retried.push(settlement, "", settlement.attempt, at);
            }
            Disposition::Hold if settlement.record.is_some() => {
                retried.push(settlement, ANEW, settlement.attempt, settlement.now);
            }
            Disposition::Hold => {
                handed_back.push(settlement, "", settlement.attempt - 1, settlement.now);
            }
            Disposition::Retry { at } | Disposition::Release { at } => {
                handed_back.push(settlement, "", settlement.attempt - 1, at);
            }
        }
    }
    let mut written = finish(connection, &finished)?;
    written.rows += retried.run(connection, RETRY_POSTGRES)?;
    written.rows += handed_back.run(connection, HAND_BACK_POSTGRES)?;
    Ok(written)
}

fn finish(connection: &mut PgConnection, finished: &Columns<'_>) -> QueryResult<Written> {
    if finished.id.is_empty() {
        return Ok(Written::default());
    }
    let gone: Vec<Gone> = CachedSql(bound!(finished, FINISH_POSTGRES)).load(connection)?;
    let destination = |gone: &Gone| {
        let user = gone.order_key?;
        Some(Queue {
            user,
            destination: gone.destination,
        })
    };
    Ok(Written {
        rows: gone.len(),
        queues: gone.iter().filter_map(destination).collect(),
    })
}

/// Settles of a batch of finished deliveries those that have no consequences, and returns
/// which.
pub(super) fn settle_plain(
    connection: &mut PgConnection,
    batch: &[Settlement],
) -> QueryResult<HashSet<(DeliveryId, LeaseToken)>> {
    let mut finished = Columns::default();
    let mut destinations = Vec::new();
    for settlement in batch {
        if let Disposition::Finished(state) = settlement.disposition {
            finished.push_finished(settlement, state);
            destinations.push(settlement.destination);
        }
    }
    destinations.sort_unstable();
    destinations.dedup();
    let finish = bound!(finished, FINISH_PLAIN_POSTGRES).bind::<Array<SqlUuid>, _>(destinations);
    let ended: Vec<Ended> = CachedSql(finish).load(connection)?;
    Ok(ended.into_iter().map(|row| (row.id, row.token)).collect())
}
