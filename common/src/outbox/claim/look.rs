//! What there is in the outbox, seen from far above: the first row of each lane and tier.
//!
//! A loose index scan: one step per lane and tier, however many rows they have.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt};

use crate::db::{AnyConnection, Prepared};
use crate::instant::Instant;
use crate::outbox::health::LaneState;
use crate::outbox::{Kind, KindCode};

/// The first row of a lane and tier, with what is known of the lane.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Head {
    #[diesel(sql_type = SmallInt)]
    pub(super) tier: i16,
    #[diesel(sql_type = BigInt)]
    pub(super) due_at: Instant,
    #[diesel(embed)]
    pub(super) state: LaneState,
    /// Requests a second.
    #[diesel(sql_type = Nullable<Integer>)]
    pub(super) rate_limit: Option<i32>,
}

/// What parks is of no concern to a claim.
macro_rules! heads {
    ($walk:literal, $known:literal) => {
        concat!(
            "WITH RECURSIVE walk(lane, tier, due_at) AS (",
            $walk,
            ") SELECT walk.lane, walk.tier, walk.due_at, failing_since, COALESCE(webhooks.rate_limit,
                    (SELECT min(rate_limit) FROM mail_limits WHERE mail_limits.lane = walk.lane)
                ) AS rate_limit,
                COALESCE(failures, 0) AS failures, throttled_until,
                COALESCE(throttles, 0) AS throttles, COALESCE(circuit, 'Closed') AS circuit,
                circuit_until, COALESCE(circuit_opened, 0) AS circuit_opened,
                COALESCE(rate_tat, 0) AS rate_tat, disabled_instant, disabled_reason
            FROM walk ",
            $known,
            " WHERE walk.tier < 2"
        )
    };
}

pub(in crate::outbox) const HEADS_POSTGRES: &str = heads!(
    "(SELECT lane, tier, due_at FROM outbox WHERE kind = $1 ORDER BY lane, tier, due_at LIMIT 1)
    UNION ALL
    SELECT following.lane, following.tier, following.due_at
    FROM walk CROSS JOIN LATERAL (
        SELECT lane, tier, due_at FROM outbox
        WHERE kind = $1 AND (lane, tier) > (walk.lane, walk.tier)
        ORDER BY lane, tier, due_at LIMIT 1
    ) following",
    // Looked up one by one: a join may be one of all webhooks.
    "LEFT JOIN LATERAL (
        SELECT * FROM lane_states WHERE lane_states.lane = walk.lane LIMIT 1) known ON true
    LEFT JOIN LATERAL (
        SELECT rate_limit FROM webhooks WHERE webhooks.id = walk.lane LIMIT 1) webhooks ON true"
);

/// In two steps, the next tier or else the next lane: of a comparison of pairs SQLite takes
/// only the lane to the index, and reads all rows of the tier.
pub(super) const HEADS_SQLITE: &str = heads!(
    "SELECT lane, tier, due_at FROM (
        SELECT lane, tier, due_at FROM outbox WHERE kind = ?1
        ORDER BY lane, tier, due_at LIMIT 1)
    UNION ALL
    SELECT following.lane, following.tier, following.due_at
    FROM walk JOIN outbox following ON following.id = COALESCE(
        (SELECT id FROM outbox
        WHERE kind = ?1 AND lane = walk.lane AND tier > walk.tier
        ORDER BY tier, due_at LIMIT 1),
        (SELECT id FROM outbox
        WHERE kind = ?1 AND lane > walk.lane
        ORDER BY lane, tier, due_at LIMIT 1))",
    "LEFT JOIN lane_states ON lane_states.lane = walk.lane
    LEFT JOIN webhooks ON webhooks.id = walk.lane"
);

/// The heads of all lanes and tiers of a kind, a lane's next to each other.
pub(super) fn heads(connection: &mut AnyConnection, kind: Kind) -> QueryResult<Vec<Head>> {
    let kind = KindCode::from(kind);
    let mut heads: Vec<Head> = match connection {
        AnyConnection::Pg(connection) => {
            Prepared(diesel::sql_query(HEADS_POSTGRES).bind::<SmallInt, _>(kind))
                .load(connection)?
        }
        AnyConnection::Sqlite(connection) => {
            Prepared(diesel::sql_query(HEADS_SQLITE).bind::<SmallInt, _>(kind)).load(connection)?
        }
    };
    heads.sort_unstable_by_key(|head| (head.state.lane, head.tier));
    Ok(heads)
}
