//! States of lanes in the database.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Array;

use super::LaneState;
use crate::db::{AnyConnection, Native, Prepared, SqlUuid};
use crate::id::LaneId;
use crate::schema::lane_states;

/// States by lane; in this order they are locked.
pub(in crate::outbox) type States = BTreeMap<LaneId, LaneState>;

/// The states of these lanes, as far as there is anything to say about them.
///
/// # Errors
/// Those of the database.
pub fn lane_states(
    connection: &mut AnyConnection,
    lanes: &[LaneId],
) -> QueryResult<Vec<LaneState>> {
    lane_states::table
        .filter(lane_states::lane.eq_any(lanes.to_vec()))
        .select(LaneState::as_select())
        .load(connection)
}

/// The state of one lane.
///
/// # Errors
/// Those of the database.
pub fn lane_state(connection: &mut AnyConnection, lane: LaneId) -> QueryResult<LaneState> {
    let stored = lane_states::table
        .find(lane)
        .select(LaneState::as_select())
        .first(connection)
        .optional()?;
    Ok(stored.unwrap_or_else(|| LaneState::healthy(lane)))
}

const NEW: &str = "
INSERT INTO lane_states (lane, failures, throttles, circuit, circuit_opened, rate_tat)
SELECT lane, 0, 0, 'Closed', 0, 0 FROM unnest($1) AS named(lane) ORDER BY lane ";

/// The states of these lanes, locked until the end of the transaction. Who locks
/// several does so in the order of their Ids, so that nobody waits in a circle.
pub(in crate::outbox) fn lock(
    connection: &mut AnyConnection,
    lanes: &[LaneId],
) -> QueryResult<States> {
    let locked = match connection {
        AnyConnection::Pg(connection) => {
            // One pass for those that exist and those that do not.
            let sql = format!(
                "{NEW} ON CONFLICT (lane) DO UPDATE SET failures = lane_states.failures RETURNING *"
            );
            Prepared(diesel::sql_query(sql).bind::<Array<SqlUuid>, _>(lanes)).load(connection)?
        }
        AnyConnection::Sqlite(_) => lane_states(connection, lanes)?,
    };
    Ok(complete(lanes, locked))
}

/// Like [`lock`], but lanes that somebody else holds are left out. It waits only for whoever
/// is making the same row, which ends with a transaction that waits for nobody in turn: all
/// make and lock rows in the order of their Ids, and a claim holds nothing else yet.
pub(in crate::outbox) fn try_lock(
    connection: &mut AnyConnection,
    lanes: &[LaneId],
) -> QueryResult<States> {
    match connection {
        AnyConnection::Pg(connection) => {
            let sql = format!("{NEW} ON CONFLICT DO NOTHING");
            Prepared(diesel::sql_query(sql).bind::<Array<SqlUuid>, _>(lanes))
                .execute(connection)?;
            let locked: Vec<LaneState> = lane_states::table
                .filter(lane_states::lane.eq_any(lanes))
                .order(lane_states::lane)
                .for_update()
                .skip_locked()
                .select(LaneState::as_select())
                .load(connection)?;
            Ok(locked
                .into_iter()
                .map(|state| (state.lane, state))
                .collect())
        }
        AnyConnection::Sqlite(_) => {
            let stored = lane_states(connection, lanes)?;
            Ok(complete(lanes, stored))
        }
    }
}

fn complete(lanes: &[LaneId], stored: Vec<LaneState>) -> States {
    let healthy = lanes.iter().map(|lane| (*lane, LaneState::healthy(*lane)));
    let stored = stored.into_iter().map(|state| (state.lane, state));
    healthy.chain(stored).collect()
}

impl LaneState {
    /// Writes the state over what is there.
    pub(in crate::outbox) fn save(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        let row = diesel::insert_into(lane_states::table)
            .values(self)
            .on_conflict(lane_states::lane)
            .do_update()
            .set(self);
        Native(row).execute(connection)?;
        Ok(())
    }

    /// Removes what says nothing.
    pub(in crate::outbox) fn forget(
        connection: &mut AnyConnection,
        lane: LaneId,
    ) -> QueryResult<()> {
        diesel::delete(lane_states::table.find(lane)).execute(connection)?;
        Ok(())
    }
}
