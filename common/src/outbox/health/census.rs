//! How many lanes are out of order.

use diesel::prelude::*;

use super::Circuit;
use crate::db::AnyConnection;
use crate::instant::Instant;
use crate::schema::lane_states;

/// Lanes that get nothing for now. Each counts once, under the first that is true of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneCensus {
    /// Until somebody enables them.
    pub disabled: i64,
    /// Nothing but failures: they rest, or are tried with one delivery.
    pub circuit_open: i64,
    /// They asked to be left alone.
    pub throttled: i64,
}

/// Counts lanes. There are as many states as webhooks and tenants at most, so this is
/// cheap however much is owed.
///
/// # Errors
/// Those of the database.
pub fn lane_census(connection: &mut AnyConnection, now: Instant) -> QueryResult<LaneCensus> {
    let enabled = lane_states::disabled_instant.is_null();
    let closed = lane_states::circuit.eq(Circuit::Closed);
    Ok(LaneCensus {
        disabled: lane_states::table
            .filter(lane_states::disabled_instant.is_not_null())
            .count()
            .get_result(connection)?,
        circuit_open: lane_states::table
            .filter(enabled)
            .filter(lane_states::circuit.ne(Circuit::Closed))
            .count()
            .get_result(connection)?,
        throttled: lane_states::table
            .filter(enabled)
            .filter(closed)
            .filter(lane_states::throttled_until.gt(now))
            .count()
            .get_result(connection)?,
    })
}
