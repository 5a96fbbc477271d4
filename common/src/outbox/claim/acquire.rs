//! What only one claim at a time may have: a lane's probe, and its requests a second.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::ClaimRequest;
use super::plan::{Candidate, Plan};
use crate::db::{AnyConnection, Prepared, SqlUuid};
use crate::instant::Instant;
use crate::outbox::health::{LaneState, try_lock};

/// Locks what is contended, so that nobody takes the same until this claim is written.
pub(super) fn acquire(
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
pub(super) fn spend(
    connection: &mut AnyConnection,
    plan: &Plan,
    request: &ClaimRequest,
) -> QueryResult<()> {
    let spent: Vec<LaneState> = plan
        .lanes
        .iter()
        .filter(|lane| lane.taken > 0)
        .filter_map(|lane| after(lane, request))
        .collect();
    match connection {
        _ if spent.is_empty() => Ok(()),
        AnyConnection::Pg(connection) => spend_postgres(connection, &spent),
        AnyConnection::Sqlite(_) => spent.iter().try_for_each(|state| state.save(connection)),
    }
}

/// The state of a lane of which rows were taken; none if that changes nothing.
fn after(lane: &Candidate, request: &ClaimRequest) -> Option<LaneState> {
    let mut state = lane.state.clone();
    if let Some(rate) = lane.rate {
        state.rate_tat = rate.taken(state.rate_tat, request.now, lane.taken);
    }
    if lane.probe {
        state.probed(request.lease_end);
    }
    (state != lane.state).then_some(state)
}

const SPEND_POSTGRES: &str = "
UPDATE lane_states SET circuit = spent.circuit, circuit_until = spent.until, rate_tat = spent.tat
FROM unnest($1, $2, $3, $4) AS spent(lane, circuit, until, tat)
WHERE lane_states.lane = spent.lane";

/// The rows exist and are locked.
fn spend_postgres(connection: &mut PgConnection, spent: &[LaneState]) -> QueryResult<()> {
    let lanes: Vec<_> = spent.iter().map(|state| state.lane).collect();
    let circuits: Vec<_> = spent.iter().map(|state| state.circuit).collect();
    let until: Vec<Option<Instant>> = spent.iter().map(|state| state.circuit_until).collect();
    let arrivals: Vec<i64> = spent.iter().map(|state| state.rate_tat).collect();
    let spend = diesel::sql_query(SPEND_POSTGRES)
        .bind::<Array<SqlUuid>, _>(lanes)
        .bind::<Array<Text>, _>(circuits)
        .bind::<Array<Nullable<BigInt>>, _>(until)
        .bind::<Array<BigInt>, _>(arrivals);
    Prepared(spend).execute(connection)?;
    Ok(())
}
