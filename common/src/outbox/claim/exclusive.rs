//! What only one claim at a time may have: a destination's probe, and its requests a second.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::ClaimRequest;
use super::plan::{Candidate, Plan};
use crate::db::{AnyConnection, CachedSql, SqlUuid};
use crate::outbox::health::{DestinationState, try_lock};
use crate::unix_millis::UnixMillis;

/// Locks what is contended, so that nobody takes the same until this claim is written.
pub(super) fn lock_exclusive(
    connection: &mut AnyConnection,
    plan: &mut Plan,
    request: &ClaimRequest,
) -> QueryResult<()> {
    let contended = plan.contended();
    if contended.is_empty() {
        return Ok(());
    }
    let states = try_lock(connection, &contended)?;
    plan.locked(states, request);
    Ok(())
}

/// Writes what was taken of it.
pub(super) fn consume(
    connection: &mut AnyConnection,
    plan: &Plan,
    request: &ClaimRequest,
) -> QueryResult<()> {
    let spent: Vec<DestinationState> = plan
        .destinations
        .iter()
        .filter(|destination| destination.taken > 0)
        .filter_map(|destination| after(destination, request))
        .collect();
    match connection {
        _ if spent.is_empty() => Ok(()),
        AnyConnection::Pg(connection) => consume_postgres(connection, &spent),
        AnyConnection::Sqlite(_) => spent.iter().try_for_each(|state| state.save(connection)),
    }
}

/// The state of a destination of which rows were taken; none if that changes nothing.
fn after(destination: &Candidate, request: &ClaimRequest) -> Option<DestinationState> {
    let mut state = destination.state.clone();
    if let Some(rate) = destination.rate {
        state.theoretical_arrival_micros = rate.taken(
            state.theoretical_arrival_micros,
            request.now,
            destination.taken,
        );
    }
    if destination.probe {
        state.probed(request.lease_end);
    }
    (state != destination.state).then_some(state)
}

const CONSUME_POSTGRES: &str = "
UPDATE destination_states SET circuit = spent.circuit, circuit_until = spent.until, theoretical_arrival_micros = spent.tat
FROM unnest($1, $2, $3, $4) AS spent(destination, circuit, until, tat)
WHERE destination_states.destination = spent.destination";

/// The rows exist and are locked.
fn consume_postgres(connection: &mut PgConnection, spent: &[DestinationState]) -> QueryResult<()> {
    let destinations: Vec<_> = spent.iter().map(|state| state.destination).collect();
    let circuits: Vec<_> = spent.iter().map(|state| state.circuit).collect();
    let until: Vec<Option<UnixMillis>> = spent.iter().map(|state| state.circuit_until).collect();
    let arrivals: Vec<i64> = spent
        .iter()
        .map(|state| state.theoretical_arrival_micros)
        .collect();
    let spend = diesel::sql_query(CONSUME_POSTGRES)
        .bind::<Array<SqlUuid>, _>(destinations)
        .bind::<Array<Text>, _>(circuits)
        .bind::<Array<Nullable<BigInt>>, _>(until)
        .bind::<Array<BigInt>, _>(arrivals);
    CachedSql(spend).execute(connection)?;
    Ok(())
}
