//! Settling on SQLite, row by row: a round trip costs nothing here.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::{AttemptRecord, Disposition, Settlement, Written, attempts_made};
use crate::db::{CachedSql, SqlUuid};
use crate::id::{DestinationId, LeaseToken, UserId};
use crate::outbox::order::Queue;
use crate::outbox::{DeliveryState, PRIORITY_NEW, PRIORITY_RETRY};
use crate::schema::{attempts, outbox};
use crate::unix_millis::UnixMillis;

/// Settles a batch, as far as it is the settler's.
pub(super) fn settle(
    connection: &mut SqliteConnection,
    batch: &[Settlement],
) -> QueryResult<Written> {
    let mut written = Written::default();
    for settlement in batch {
        written.rows += match (settlement.disposition, &settlement.record) {
            (Disposition::Finished(state), _) => {
                finish(connection, settlement, state, &mut written.queues)?
            }
            (Disposition::Retry { at }, Some(record)) => {
                keep(connection, settlement, record, at, false)?
            }
            (Disposition::Hold, Some(record)) => {
                keep(connection, settlement, record, settlement.now, true)?
            }
            // What was not tried has not used an attempt.
            (Disposition::Retry { at } | Disposition::Release { at }, _) => {
                hand_back(connection, settlement, at)?
            }
            (Disposition::Hold, None) => hand_back(connection, settlement, settlement.now)?,
        };
    }
    Ok(written)
}

/// It stays in the outbox, with one more attempt on record.
fn keep(
    connection: &mut SqliteConnection,
    settlement: &Settlement,
    record: &AttemptRecord,
    at: UnixMillis,
    anew: bool,
) -> QueryResult<usize> {
    let owned = outbox::table
        .find(settlement.id)
        .filter(outbox::lease_token.eq(settlement.token));
    let erased: Option<bool> = diesel::update(owned)
        .set((
            outbox::due_at.eq(at),
            outbox::lease_token.eq(None::<LeaseToken>),
            outbox::lease_owner.eq(None::<String>),
            anew.then_some(outbox::base_attempt.eq(settlement.attempt)),
        ))
        .returning(outbox::erased)
        .get_result(connection)
        .optional()?;
    let Some(erased) = erased else {
        return Ok(0);
    };
    insert_attempt(connection, settlement, record, erased)?;
    Ok(1)
}

fn hand_back(
    connection: &mut SqliteConnection,
    settlement: &Settlement,
    at: UnixMillis,
) -> QueryResult<usize> {
    let owned = outbox::table
        .find(settlement.id)
        .filter(outbox::lease_token.eq(settlement.token));
    let made = settlement.attempt - 1;
    diesel::update(owned)
        .set((
            outbox::attempt.eq(made),
            outbox::priority.eq(if made > 0 {
                PRIORITY_RETRY
            } else {
                PRIORITY_NEW
            }),
            outbox::due_at.eq(at),
            outbox::lease_token.eq(None::<LeaseToken>),
            outbox::lease_owner.eq(None::<String>),
        ))
        .execute(connection)
}

/// Of what was erased meanwhile only how it went is kept, not what anybody said.
fn insert_attempt(
    connection: &mut SqliteConnection,
    settlement: &Settlement,
    record: &AttemptRecord,
    erased: bool,
) -> QueryResult<()> {
    let kept = |text: &Option<String>| text.clone().filter(|_| !erased);
    diesel::insert_into(attempts::table)
        .values((
            attempts::delivery_id.eq(settlement.id),
            attempts::number.eq(settlement.attempt),
            attempts::instant.eq(record.instant),
            attempts::duration_millis.eq(record.duration_millis),
            attempts::result.eq(record.result),
            attempts::status_code.eq(record.status_code),
            attempts::class.eq(&record.class),
            attempts::message.eq(kept(&record.message)),
            attempts::response_excerpt.eq(kept(&record.response_excerpt)),
        ))
        .execute(connection)?;
    Ok(())
}

const FINISH: &str = "
INSERT INTO deliveries (id, kind, destination, event_id, email_id, recipient, insert_instant, state,
    attempt, settle_instant, attempt_instant, duration_millis, result, status_code, class,
    message, response_excerpt)
SELECT id, kind, destination, event_id, email_id, recipient, insert_instant, ?3,
    ?4, ?5, ?6, ?7, ?8, ?9, ?10,
    CASE WHEN NOT erased THEN ?11 END, CASE WHEN NOT erased THEN ?12 END
FROM outbox WHERE id = ?1 AND lease_token = ?2";

/// What the outbox knows is copied by the database. Adds to `queues` the one it was in.
fn finish(
    connection: &mut SqliteConnection,
    settlement: &Settlement,
    state: DeliveryState,
    queues: &mut Vec<Queue>,
) -> QueryResult<usize> {
    let record = settlement.record.as_ref();
    let finish = diesel::sql_query(FINISH)
        .bind::<SqlUuid, _>(settlement.id)
        .bind::<SqlUuid, _>(settlement.token)
        .bind::<Text, _>(state)
        .bind::<Integer, _>(attempts_made(settlement))
        .bind::<BigInt, _>(settlement.now)
        .bind::<Nullable<BigInt>, _>(record.map(|r| r.instant))
        .bind::<Nullable<Integer>, _>(record.map(|r| r.duration_millis))
        .bind::<Nullable<Text>, _>(record.map(|r| r.result))
        .bind::<Nullable<Integer>, _>(record.and_then(|r| r.status_code))
        .bind::<Nullable<Text>, _>(record.and_then(|r| r.class.as_deref()))
        .bind::<Nullable<Text>, _>(record.and_then(|r| r.message.as_deref()))
        .bind::<Nullable<Text>, _>(record.and_then(|r| r.response_excerpt.as_deref()));
    CachedSql(finish).execute(connection)?;
    let owned = outbox::table
        .find(settlement.id)
        .filter(outbox::lease_token.eq(settlement.token));
    let gone: Option<(Option<UserId>, DestinationId)> = diesel::delete(owned)
        .returning((outbox::order_key, outbox::destination))
        .get_result(connection)
        .optional()?;
    let Some((user, destination)) = gone else {
        return Ok(0);
    };
    queues.extend(user.map(|user| Queue { user, destination }));
    Ok(1)
}
