//! Settle: record how attempts went, and move or remove their outbox rows.
//!
//! A whole batch in one transaction; on PostgreSQL in one statement for each kind of
//! verdict. Only rows whose lease token is still the settler's are touched.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};

use super::{AttemptResult, DeliveryState};
use crate::db::{AnyConnection, SqlUuid};
use crate::id::{DeliveryId, LeaseToken};
use crate::instant::Instant;
use crate::schema::{attempts, deliveries, outbox};

/// How one attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// When it began.
    pub instant: Instant,
    /// How long it took, in milliseconds.
    pub duration_millis: i32,
    /// How it went.
    pub result: AttemptResult,
    /// HTTP or SMTP status, if there was an answer.
    pub status_code: Option<i32>,
    /// `dns connect tls timeout http blocked body smtp render unknown`
    pub class: Option<String>,
    /// For operators.
    pub message: Option<String>,
    /// The beginning of the answer.
    pub response_excerpt: Option<String>,
}

/// What becomes of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It leaves the outbox.
    Finished(DeliveryState),
    /// It is tried again.
    Retry {
        /// Not before.
        at: Instant,
    },
    /// It was not sent after all: it is pending as if it had not been claimed.
    HandBack {
        /// Not before.
        at: Instant,
    },
}

/// The end of one lease.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Which delivery.
    pub id: DeliveryId,
    /// The right to settle it.
    pub token: LeaseToken,
    /// The number of the attempt.
    pub attempt: i32,
    /// How the attempt went; none if none was made.
    pub record: Option<AttemptRecord>,
    /// What becomes of the delivery.
    pub verdict: Verdict,
    /// When it is settled.
    pub now: Instant,
}

/// Settles a batch and returns how many of it were still the settler's. Call it in a
/// write transaction.
///
/// # Errors
/// Those of the database.
pub fn settle(connection: &mut AnyConnection, batch: &[Settlement]) -> QueryResult<usize> {
    match connection {
        AnyConnection::Pg(connection) => settle_postgres(connection, batch),
        AnyConnection::Sqlite(connection) => {
            let mut settled = 0;
            for settlement in batch {
                settled += settle_sqlite(connection, settlement)?;
            }
            Ok(settled)
        }
    }
}

fn settle_sqlite(connection: &mut SqliteConnection, settlement: &Settlement) -> QueryResult<usize> {
    let owned = outbox::table
        .find(settlement.id)
        .filter(outbox::lease_token.eq(settlement.token));
    match (settlement.verdict, &settlement.record) {
        (Verdict::Finished(state), _) => finish_sqlite(connection, settlement, state),
        (Verdict::Retry { at }, Some(record)) => {
            let rows = diesel::update(owned)
                .set((
                    outbox::due_at.eq(at),
                    outbox::lease_token.eq(None::<LeaseToken>),
                    outbox::lease_owner.eq(None::<String>),
                ))
                .execute(connection)?;
            if rows == 1 {
                insert_attempt(connection, settlement, record)?;
            }
            Ok(rows)
        }
        // What was not tried has not used an attempt.
        (Verdict::Retry { at }, None) | (Verdict::HandBack { at }, _) => diesel::update(owned)
            .set((
                outbox::attempt.eq(settlement.attempt - 1),
                outbox::due_at.eq(at),
                outbox::lease_token.eq(None::<LeaseToken>),
                outbox::lease_owner.eq(None::<String>),
            ))
            .execute(connection),
    }
}

fn insert_attempt(
    connection: &mut SqliteConnection,
    settlement: &Settlement,
    record: &AttemptRecord,
) -> QueryResult<()> {
    diesel::insert_into(attempts::table)
        .values((
            attempts::delivery_id.eq(settlement.id),
            attempts::number.eq(settlement.attempt),
            attempts::instant.eq(record.instant),
            attempts::duration_millis.eq(record.duration_millis),
            attempts::result.eq(record.result),
            attempts::status_code.eq(record.status_code),
            attempts::class.eq(&record.class),
            attempts::message.eq(&record.message),
            attempts::response_excerpt.eq(&record.response_excerpt),
        ))
        .execute(connection)?;
    Ok(())
}

/// The columns that come from the outbox are copied by the database.
fn finish_sqlite(
    connection: &mut SqliteConnection,
    settlement: &Settlement,
    state: DeliveryState,
) -> QueryResult<usize> {
    use diesel::dsl::sql;
    let record = settlement.record.as_ref();
    let copied = outbox::table
        .find(settlement.id)
        .filter(outbox::lease_token.eq(settlement.token))
        .select((
            outbox::id,
            outbox::kind,
            outbox::lane,
            outbox::event_id,
            outbox::email_id,
            outbox::recipient,
            sql::<Text>("").bind::<Text, _>(state),
            sql::<Integer>("").bind::<Integer, _>(attempts_made(settlement)),
            outbox::insert_instant,
            sql::<BigInt>("").bind::<BigInt, _>(settlement.now),
            sql::<Nullable<BigInt>>("").bind::<Nullable<BigInt>, _>(record.map(|r| r.instant)),
            sql::<Nullable<Integer>>("")
                .bind::<Nullable<Integer>, _>(record.map(|r| r.duration_millis)),
            sql::<Nullable<Text>>("").bind::<Nullable<Text>, _>(record.map(|r| r.result)),
            sql::<Nullable<Integer>>("")
                .bind::<Nullable<Integer>, _>(record.and_then(|r| r.status_code)),
            sql::<Nullable<Text>>("")
                .bind::<Nullable<Text>, _>(record.and_then(|r| r.class.as_deref())),
            sql::<Nullable<Text>>("")
                .bind::<Nullable<Text>, _>(record.and_then(|r| r.message.as_deref())),
            sql::<Nullable<Text>>("")
                .bind::<Nullable<Text>, _>(record.and_then(|r| r.response_excerpt.as_deref())),
        ));
    diesel::insert_into(deliveries::table)
        .values(copied)
        .into_columns((
            deliveries::id,
            deliveries::kind,
            deliveries::lane,
            deliveries::event_id,
            deliveries::email_id,
            deliveries::recipient,
            deliveries::state,
            deliveries::attempt,
            deliveries::insert_instant,
            deliveries::settle_instant,
            deliveries::attempt_instant,
            deliveries::duration_millis,
            deliveries::result,
            deliveries::status_code,
            deliveries::class,
            deliveries::message,
            deliveries::response_excerpt,
        ))
        .execute(connection)?;
    diesel::delete(
        outbox::table
            .find(settlement.id)
            .filter(outbox::lease_token.eq(settlement.token)),
    )
    .execute(connection)
}

/// The claim counted an attempt; without a record none was made.
fn attempts_made(settlement: &Settlement) -> i32 {
    match settlement.record {
        Some(_) => settlement.attempt,
        None => settlement.attempt - 1,
    }
}

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
    fn run(&self, connection: &mut PgConnection, sql: &str) -> QueryResult<usize> {
        if self.id.is_empty() {
            return Ok(0);
        }
        diesel::sql_query(sql)
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
            .bind::<Array<Nullable<Text>>, _>(&self.excerpt)
            .execute(connection)
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
        RETURNING outbox.id, kind, lane, event_id, email_id, recipient, insert_instant)
    INSERT INTO deliveries (id, kind, lane, event_id, email_id, recipient, state, attempt,
        insert_instant, settle_instant, attempt_instant, duration_millis, result,
        status_code, class, message, response_excerpt)
    SELECT id, kind, lane, event_id, email_id, recipient, state, number,
        insert_instant, at, instant, duration_millis, result,
        status_code, class, message, response_excerpt
    FROM gone JOIN input USING (id)"
);

/// Counts the attempts written; every retry has one.
const RETRY_POSTGRES: &str = with_input!(
    "kept AS (
        UPDATE outbox SET due_at = at, lease_token = NULL, lease_owner = NULL
        FROM input WHERE outbox.id = input.id AND lease_token = token
        RETURNING outbox.id)
    INSERT INTO attempts (delivery_id, number, instant, duration_millis, result,
        status_code, class, message, response_excerpt)
    SELECT id, number, instant, duration_millis, result, status_code, class, message,
        response_excerpt
    FROM kept JOIN input USING (id)"
);

const HAND_BACK_POSTGRES: &str = with_input!(
    "nothing AS (SELECT)
    UPDATE outbox SET attempt = number, due_at = at, lease_token = NULL, lease_owner = NULL
    FROM input WHERE outbox.id = input.id AND lease_token = token"
);

fn settle_postgres(connection: &mut PgConnection, batch: &[Settlement]) -> QueryResult<usize> {
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
            Verdict::Retry { at } | Verdict::HandBack { at } => {
                handed_back.push(settlement, "", settlement.attempt - 1, at);
            }
        }
    }
    let mut settled = finished.run(connection, FINISH_POSTGRES)?;
    settled += retried.run(connection, RETRY_POSTGRES)?;
    settled += handed_back.run(connection, HAND_BACK_POSTGRES)?;
    Ok(settled)
}
