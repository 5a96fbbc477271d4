//! States of destinations in the database.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Array;

use super::DestinationState;
use crate::db::{AnyConnection, CachedSql, PerBackend, SqlUuid};
use crate::id::DestinationId;
use crate::schema::destination_states;

/// States by destination; in this order they are locked.
pub(in crate::outbox) type States = BTreeMap<DestinationId, DestinationState>;

/// The states of these destinations, as far as there is anything to say about them.
pub fn destination_states(
    connection: &mut AnyConnection,
    destinations: &[DestinationId],
) -> QueryResult<Vec<DestinationState>> {
    destination_states::table
        .filter(destination_states::destination.eq_any(destinations.to_vec()))
        .select(DestinationState::as_select())
        .load(connection)
}

/// The state of one destination.
pub fn destination_state(
    connection: &mut AnyConnection,
    destination: DestinationId,
) -> QueryResult<DestinationState> {
    let stored = destination_states::table
        .find(destination)
        .select(DestinationState::as_select())
        .first(connection)
        .optional()?;
    Ok(stored.unwrap_or_else(|| DestinationState::healthy(destination)))
}

const NEW: &str = "
INSERT INTO destination_states (destination, failures, throttles, circuit, circuit_opened, theoretical_arrival_micros)
SELECT destination, 0, 0, 'Closed', 0, 0 FROM unnest($1) AS named(destination) ORDER BY destination ";

/// The states of these destinations, locked until the end of the transaction. Who locks
/// several does so in the order of their Ids, so that nobody waits in a circle.
pub(in crate::outbox) fn lock(
    connection: &mut AnyConnection,
    destinations: &[DestinationId],
) -> QueryResult<States> {
    let locked = match connection {
        AnyConnection::Pg(connection) => {
            // One pass for those that exist and those that do not.
            let sql = format!(
                "{NEW} ON CONFLICT (destination) DO UPDATE SET failures = destination_states.failures RETURNING *"
            );
            CachedSql(diesel::sql_query(sql).bind::<Array<SqlUuid>, _>(destinations))
                .load(connection)?
        }
        AnyConnection::Sqlite(_) => destination_states(connection, destinations)?,
    };
    Ok(complete(destinations, locked))
}

/// Like [`lock`], but destinations that somebody else holds are left out. It waits only for whoever
/// is making the same row, which ends with a transaction that waits for nobody in turn: all
/// make and lock rows in the order of their Ids, and a claim holds nothing else yet.
pub(in crate::outbox) fn try_lock(
    connection: &mut AnyConnection,
    destinations: &[DestinationId],
) -> QueryResult<States> {
    match connection {
        AnyConnection::Pg(connection) => {
            let sql = format!("{NEW} ON CONFLICT DO NOTHING");
            CachedSql(diesel::sql_query(sql).bind::<Array<SqlUuid>, _>(destinations))
                .execute(connection)?;
            let locked: Vec<DestinationState> = destination_states::table
                .filter(destination_states::destination.eq_any(destinations))
                .order(destination_states::destination)
                .for_update()
                .skip_locked()
                .select(DestinationState::as_select())
                .load(connection)?;
            Ok(locked
                .into_iter()
                .map(|state| (state.destination, state))
                .collect())
        }
        AnyConnection::Sqlite(_) => {
            let stored = destination_states(connection, destinations)?;
            Ok(complete(destinations, stored))
        }
    }
}

fn complete(destinations: &[DestinationId], stored: Vec<DestinationState>) -> States {
    let healthy = destinations
        .iter()
        .map(|destination| (*destination, DestinationState::healthy(*destination)));
    let stored = stored.into_iter().map(|state| (state.destination, state));
    healthy.chain(stored).collect()
}

impl DestinationState {
    /// Writes the state over what is there.
    pub(in crate::outbox) fn save(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        let row = diesel::insert_into(destination_states::table)
            .values(self)
            .on_conflict(destination_states::destination)
            .do_update()
            .set(self);
        PerBackend(row).execute(connection)?;
        Ok(())
    }

    /// Removes what says nothing.
    pub(in crate::outbox) fn forget(
        connection: &mut AnyConnection,
        destination: DestinationId,
    ) -> QueryResult<()> {
        diesel::delete(destination_states::table.find(destination)).execute(connection)?;
        Ok(())
    }
}
