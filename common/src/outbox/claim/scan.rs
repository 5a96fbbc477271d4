//! What there is in the outbox, seen from far above: the first row of each destination and priority.
//!
//! A loose index scan: one step per destination and priority, however many rows they have.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt};

use crate::db::{AnyConnection, CachedSql};
use crate::outbox::health::DestinationState;
use crate::outbox::{Kind, KindCode};
use crate::unix_millis::UnixMillis;

/// The first row of a destination and priority, with what is known of the destination.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Head {
    #[diesel(sql_type = SmallInt)]
    pub(super) priority: i16,
    #[diesel(sql_type = BigInt)]
    pub(super) due_at: UnixMillis,
    #[diesel(embed)]
    pub(super) state: DestinationState,
    /// Requests a second.
    #[diesel(sql_type = Nullable<Integer>)]
    pub(super) rate_limit: Option<i32>,
}

/// What parks is of no concern to a claim.
macro_rules! scan {
    ($walk:literal, $known:literal) => {
        concat!(
            "WITH RECURSIVE walk(destination, priority, due_at) AS (",
            $walk,
            ") SELECT walk.destination, walk.priority, walk.due_at, failing_since, COALESCE(webhooks.rate_limit,
                    (SELECT min(rate_limit) FROM mail_limits WHERE mail_limits.destination = walk.destination)
                ) AS rate_limit,
                COALESCE(failures, 0) AS failures, throttled_until,
                COALESCE(throttles, 0) AS throttles, COALESCE(circuit, 'Closed') AS circuit,
                circuit_until, COALESCE(circuit_opened, 0) AS circuit_opened,
                COALESCE(theoretical_arrival_micros, 0) AS theoretical_arrival_micros, disabled_instant, disabled_reason
            FROM walk ",
            $known,
            " WHERE walk.priority < 2"
        )
    };
}

pub(in crate::outbox) const SCAN_POSTGRES: &str = scan!(
    "(SELECT destination, priority, due_at FROM outbox WHERE kind = $1 ORDER BY destination, priority, due_at LIMIT 1)
    UNION ALL
    SELECT following.destination, following.priority, following.due_at
    FROM walk CROSS JOIN LATERAL (
        SELECT destination, priority, due_at FROM outbox
        WHERE kind = $1 AND (destination, priority) > (walk.destination, walk.priority)
        ORDER BY destination, priority, due_at LIMIT 1
    ) following",
    // Looked up one by one: a join may be one of all webhooks.
    "LEFT JOIN LATERAL (
        SELECT * FROM destination_states WHERE destination_states.destination = walk.destination LIMIT 1) known ON true
    LEFT JOIN LATERAL (
        SELECT rate_limit FROM webhooks WHERE webhooks.id = walk.destination LIMIT 1) webhooks ON true"
);

/// In two steps, the next priority or else the next destination: of a comparison of pairs SQLite takes
/// only the destination to the index, and reads all rows of the priority.
pub(super) const SCAN_SQLITE: &str = scan!(
    "SELECT destination, priority, due_at FROM (
        SELECT destination, priority, due_at FROM outbox WHERE kind = ?1
        ORDER BY destination, priority, due_at LIMIT 1)
    UNION ALL
    SELECT following.destination, following.priority, following.due_at
    FROM walk JOIN outbox following ON following.id = COALESCE(
        (SELECT id FROM outbox
        WHERE kind = ?1 AND destination = walk.destination AND priority > walk.priority
        ORDER BY priority, due_at LIMIT 1),
        (SELECT id FROM outbox
        WHERE kind = ?1 AND destination > walk.destination
        ORDER BY destination, priority, due_at LIMIT 1))",
    "LEFT JOIN destination_states ON destination_states.destination = walk.destination
    LEFT JOIN webhooks ON webhooks.id = walk.destination"
);

/// The heads of all destinations and priorities of a kind, a destination's next to each other.
pub(super) fn scan(connection: &mut AnyConnection, kind: Kind) -> QueryResult<Vec<Head>> {
    let kind = KindCode::from(kind);
    let mut heads: Vec<Head> = match connection {
        AnyConnection::Pg(connection) => {
            CachedSql(diesel::sql_query(SCAN_POSTGRES).bind::<SmallInt, _>(kind))
                .load(connection)?
        }
        AnyConnection::Sqlite(connection) => {
            CachedSql(diesel::sql_query(SCAN_SQLITE).bind::<SmallInt, _>(kind)).load(connection)?
        }
    };
    heads.sort_unstable_by_key(|head| (head.state.destination, head.priority));
    Ok(heads)
}
