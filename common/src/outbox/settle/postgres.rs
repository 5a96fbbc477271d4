//! Settling on PostgreSQL: one statement for each kind of verdict.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};

use super::{Settlement, Verdict, attempts_made};
use crate::db::{Prepared, SqlUuid, plan_by_values};
use crate::id::{DeliveryId, LeaseToken};
use crate::instant::Instant;
use crate::outbox::AttemptResult;

/// A batch as columns, the way `unnest` takes it.
#[derive(Debug, Default)]
struct Columns<'a> {
    id: Vec<DeliveryId>,
    token: Vec<LeaseToken>,
    state: Vec<&'a str>,
    attempt: Vec<i32>,
    at: Vec<Instant>,
    instant: Vec<Option<Instant>>,
    duration: Vec<Option<i32>>,
    result: Vec<Option<AttemptResult>>,
    status: Vec<Option<i32>>,
    class: Vec<Option<&'a str>>,
    message: Vec<Option<&'a str>>,
    excerpt: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, settlement: &'a Settlement, state: &'a str, attempt: i32, at: Instant) {
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

    /// Runs `sql`, whose twelve parameters are these columns, and counts its rows.
    fn run(&self, connection: &mut PgConnection, sql: &'static str) -> QueryResult<usize> {
        if self.id.is_empty() {
            return Ok(0);
        }
        let query = diesel::sql_query(sql)
            .bind::<Array<SqlUuid>, _>(&self.id)
            .bind::<Array<SqlUuid>, _>(&self.token)
            .bind::<Array<Text>, _>(&self.state)
            .bind::<Array<Integer>, _>(&self.attempt)
            .bind::<Array<BigInt>, _>(&self.at)
            .bind::<Array<Nullable<BigInt>>, _>(&self.instant)
            .bind::<Array<Nullable<Integer>>, _>(&self.duration)
            .bind::<Array<Nullable<Text>>, _>(&self.result)
            .bind::<Array<Nullable<Integer>>, _>(&self.status)
            .bind::<Array<Nullable<Text>>, _>(&self.class)
            .bind::<Array<Nullable<Text>>, _>(&self.message)
            .bind::<Array<Nullable<Text>>, _>(&self.excerpt);
        Prepared(query).execute(connection)
    }
}

macro_rules! with_input {
    ($rest:literal) => {
        concat!(
            "WITH input AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             AS t(id, token, state, number, at, instant, duration_millis, result,
                  status_code, class, message, response_excerpt)), ",
            $rest
        )
    };
}

const FINISH_POSTGRES: &str = with_input!(
    "gone AS (
        DELETE FROM outbox USING input
        WHERE outbox.id = input.id AND lease_token = token
        RETURNING outbox.id, kind, lane, event_id, email_id, recipient, insert_instant,
            state, number, at, instant, duration_millis, result, status_code, class,
            message, response_excerpt)
    INSERT INTO deliveries (id, kind, lane, event_id, email_id, recipient, insert_instant,
        state, attempt, settle_instant, attempt_instant, duration_millis, result,
        status_code, class, message, response_excerpt)
    SELECT * FROM gone"
);

/// In place of a state: the schedule begins anew.
const ANEW: &str = "anew";

/// Counts the attempts written; every retry has one. What is written comes with the row
/// that was updated: a batch may hold an earlier lease of it, which has lapsed.
const RETRY_POSTGRES: &str = with_input!(
    "kept AS (
        UPDATE outbox SET due_at = at, lease_token = NULL, lease_owner = NULL,
            base_attempt = CASE WHEN state = 'anew' THEN number ELSE base_attempt END
        FROM input WHERE outbox.id = input.id AND lease_token = token
        RETURNING outbox.id, number, instant, duration_millis, result, status_code, class,
            message, response_excerpt)
    INSERT INTO attempts (delivery_id, number, instant, duration_millis, result,
        status_code, class, message, response_excerpt)
    SELECT * FROM kept"
);

const HAND_BACK_POSTGRES: &str = with_input!(
    "nothing AS (SELECT)
    UPDATE outbox SET attempt = number, due_at = at, lease_token = NULL, lease_owner = NULL,
        tier = CASE WHEN number = 0 THEN 0 ELSE 1 END
    FROM input WHERE outbox.id = input.id AND lease_token = token"
);

/// Settles a batch, as far as it is the settler's.
pub(super) fn settle(connection: &mut PgConnection, batch: &[Settlement]) -> QueryResult<usize> {
    let mut finished = Columns::default();
    let mut retried = Columns::default();
    let mut handed_back = Columns::default();
    for settlement in batch {
        match settlement.verdict {
            Verdict::Finished(state) => finished.push(
                settlement,
                state.as_str(),
                attempts_made(settlement),
                settlement.now,
            ),
            Verdict::Retry { at } if settlement.record.is_some() => {
                retried.push(settlement, "", settlement.attempt, at);
            }
            Verdict::Hold if settlement.record.is_some() => {
                retried.push(settlement, ANEW, settlement.attempt, settlement.now);
            }
            Verdict::Hold => {
                handed_back.push(settlement, "", settlement.attempt - 1, settlement.now);
            }
            Verdict::Retry { at } | Verdict::HandBack { at } => {
                handed_back.push(settlement, "", settlement.attempt - 1, at);
            }
        }
    }
    plan_by_values(connection)?;
    let mut settled = finished.run(connection, FINISH_POSTGRES)?;
    settled += retried.run(connection, RETRY_POSTGRES)?;
    settled += handed_back.run(connection, HAND_BACK_POSTGRES)?;
    Ok(settled)
}
