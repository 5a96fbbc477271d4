//! Replay: many deliveries that are decided, once more.
//!
//! In batches, each a short transaction of its own, in the order of their Ids: a million
//! of them keeps nobody waiting, and what fails again meanwhile is not met twice.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use super::resend::move_back;
use super::{DeliveryState, Kind, KindCode};
use crate::db::{AnyConnection, SqlUuid};
use crate::id::{DeliveryId, DestinationId, WebhookId, min_id_at};
use crate::unix_millis::UnixMillis;

/// Rows of one batch: few enough that other writers do not notice.
const BATCH: i64 = 500;

/// By how much the clock of an Id may differ from the instant beside it.
const SLACK: Duration = Duration::from_secs(60 * 60);

/// Which deliveries to make once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// To this webhook only.
    pub webhook: Option<WebhookId>,
    /// Webhooks or emails only.
    pub kind: Option<Kind>,
    /// How they ended.
    pub states: Vec<DeliveryState>,
    /// Owed since then or later.
    pub start: Option<UnixMillis>,
    /// Owed since then or earlier.
    pub end: Option<UnixMillis>,
}

/// What a batch has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// How many are due once more.
    pub moved: usize,
    /// Where the next batch begins; none: there is nothing left.
    pub next: Option<DeliveryId>,
}

#[derive(QueryableByName)]
struct Picked {
    #[diesel(sql_type = SqlUuid)]
    id: DeliveryId,
}

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// What cannot be delivered any more, since its receiver or itself is gone or since it did
/// not happen after all, is left out.
const DELIVERABLE: &str = "CASE
    WHEN event_id IS NOT NULL THEN
        EXISTS (SELECT 1 FROM webhooks w WHERE w.id = destination)
        AND EXISTS (SELECT 1 FROM events e WHERE e.id = event_id AND NOT e.rolled_back)
    ELSE EXISTS (SELECT 1 FROM emails m WHERE m.id = email_id) END";

impl Replay {
    /// How many deliveries these are.
    pub fn count(&self, connection: &mut AnyConnection) -> QueryResult<i64> {
        let sql = format!(
            "SELECT count(*) AS total FROM deliveries WHERE {}",
            self.condition()
        );
        let total: Total = diesel::sql_query(sql)
            .bind::<SqlUuid, _>(self.first())
            .bind::<SqlUuid, _>(self.beyond())
            .bind::<BigInt, _>(self.start.unwrap_or(UnixMillis::from_millis(i64::MIN)))
            .bind::<BigInt, _>(self.end.unwrap_or(UnixMillis::NEVER))
            .bind::<Nullable<SqlUuid>, _>(self.webhook.map(DestinationId::from))
            .get_result(connection)?;
        Ok(total.total)
    }

    /// Makes one batch due, beginning after `after`. Call it in a write transaction until
    /// nothing is left, and wake the workers after each commit.
    pub fn batch(
        &self,
        connection: &mut AnyConnection,
        after: Option<DeliveryId>,
        now: UnixMillis,
    ) -> QueryResult<Replayed> {
        let sql = format!(
            "SELECT id FROM deliveries WHERE {} ORDER BY id LIMIT {BATCH}",
            self.condition()
        );
        let picked: Vec<Picked> = diesel::sql_query(sql)
            .bind::<SqlUuid, _>(after.unwrap_or_else(|| self.first()))
            .bind::<SqlUuid, _>(self.beyond())
            .bind::<BigInt, _>(self.start.unwrap_or(UnixMillis::from_millis(i64::MIN)))
            .bind::<BigInt, _>(self.end.unwrap_or(UnixMillis::NEVER))
            .bind::<Nullable<SqlUuid>, _>(self.webhook.map(DestinationId::from))
            .load(connection)?;
        let ids: Vec<DeliveryId> = picked.into_iter().map(|picked| picked.id).collect();
        Ok(Replayed {
            moved: move_back(connection, &ids, now)?,
            next: ids.last().copied(),
        })
    }

    fn first(&self) -> DeliveryId {
        min_id_at(
            self.start
                .unwrap_or(UnixMillis::from_millis(0))
                .minus(SLACK),
        )
    }

    fn beyond(&self) -> DeliveryId {
        min_id_at(self.end.map_or(UnixMillis::NEVER, |end| end.plus(SLACK)))
    }

    /// Five parameters, whose first use is in the order of their numbers: SQLite counts
    /// them so.
    fn condition(&self) -> String {
        let states = self.states.iter().map(|state| format!("'{state}'"));
        let mut condition = format!(
            "id > $1 AND id < $2 AND insert_instant >= $3 AND insert_instant <= $4
             AND ({destination}) AND state IN ({states}) AND {DELIVERABLE}",
            destination = match self.webhook {
                Some(_) => "destination = $5",
                None => "$5 IS NULL",
            },
            states = states.collect::<Vec<_>>().join(", "),
        );
        if !self.states.contains(&DeliveryState::Delivered) {
            // To the letter what the partial index says, which is how it is found.
            condition.push_str(" AND state <> 'Delivered'");
        }
        if let Some(kind) = self.kind {
            condition.push_str(&format!(" AND kind = {}", KindCode::from(kind)));
        }
        condition
    }
}
