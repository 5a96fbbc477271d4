//! How many destinations are out of order.

use diesel::prelude::*;

use super::Circuit;
use crate::db::AnyConnection;
use crate::schema::destination_states;
use crate::unix_millis::UnixMillis;

/// Destinations that get nothing for now. Each counts once, under the first that is true of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DestinationCounts {
    /// Until somebody enables them.
    pub disabled: i64,
    /// Nothing but failures: they rest, or are tried with one delivery.
    pub circuit_open: i64,
    /// They asked to be left alone.
    pub throttled: i64,
}

/// Counts destinations. There are as many states as webhooks and tenants at most, so this is
/// cheap however much is owed.
pub fn destination_counts(
    connection: &mut AnyConnection,
    now: UnixMillis,
) -> QueryResult<DestinationCounts> {
    let enabled = destination_states::disabled_instant.is_null();
    let closed = destination_states::circuit.eq(Circuit::Closed);
    Ok(DestinationCounts {
        disabled: destination_states::table
            .filter(destination_states::disabled_instant.is_not_null())
            .count()
            .get_result(connection)?,
        circuit_open: destination_states::table
            .filter(enabled)
            .filter(destination_states::circuit.ne(Circuit::Closed))
            .count()
            .get_result(connection)?,
        throttled: destination_states::table
            .filter(enabled)
            .filter(closed)
            .filter(destination_states::throttled_until.gt(now))
            .count()
            .get_result(connection)?,
    })
}
