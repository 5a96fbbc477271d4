//! Which events a search finds. One SQL text for both databases: what has become of an
//! event is nothing that Diesel's query builder can say.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::EventResult;
use crate::db::{AnyConnection, SqlUuid};
use crate::id::EventId;
use crate::model::search::{Sort, Window, pattern};
use crate::unix_millis::UnixMillis;

/// Which events to find.
#[derive(Debug, Clone)]
pub struct WebhookEventCriteria {
    /// In the body, read as [`pattern`] says.
    pub event: Option<String>,
    /// What has become of it.
    pub result: Option<EventResult>,
    /// Its type.
    pub event_type: Option<String>,
    /// Not raised before.
    pub start: UnixMillis,
    /// Not raised after.
    pub end: UnixMillis,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: EventId,
    #[diesel(sql_type = Text)]
    result: EventResult,
}

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// What is owed still. Joined as a whole, so that it needs no index: the outbox is small
/// unless receivers are down, and then it is read once.
const OWED: &str = "SELECT DISTINCT event_id FROM outbox WHERE event_id IS NOT NULL";

/// The same with the last attempt, for searches that sort by it.
const OWED_WITH_ATTEMPTS: &str = "
    SELECT event_id, max(instant) AS instant
    FROM outbox LEFT JOIN attempts ON delivery_id = id
    WHERE event_id IS NOT NULL GROUP BY event_id";

const RESULT: &str = "CASE
    WHEN e.rolled_back THEN 'Failed'
    WHEN owed.event_id IS NOT NULL THEN 'Running'
    WHEN EXISTS (
        SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.state = 'Exhausted') THEN 'Failed'
    ELSE 'Succeeded' END";

const LAST_ATTEMPT: &str = "(
    SELECT coalesce(max(instant), 0) FROM (
        SELECT owed.instant
        UNION ALL
        SELECT d.attempt_instant FROM deliveries d WHERE d.event_id = e.id
        UNION ALL
        SELECT a.instant FROM deliveries d JOIN attempts a ON a.delivery_id = d.id
        WHERE d.event_id = e.id) AS instants)";

/// The order of their first use is that of their numbers: SQLite counts them so.
const CRITERIA: &str = r"e.insert_instant >= $1 AND e.insert_instant <= $2
    AND ($3 IS NULL OR lower(e.body) LIKE lower($3) ESCAPE '\')
    AND ($4 IS NULL OR e.event_type = $4)";

/// Events with what has become of them, as `found`.
fn events(filter: &str, with_last_attempt: bool) -> String {
    let (owed, last_attempt) = match with_last_attempt {
        true => (OWED_WITH_ATTEMPTS, LAST_ATTEMPT),
        false => (OWED, "0"),
    };
    format!(
        "WITH owed AS ({owed}), found AS (
            SELECT e.id, e.event_type, e.insert_instant, e.linked_object_id, e.sequence,
                {RESULT} AS result, {last_attempt} AS last_attempt
            FROM events e LEFT JOIN owed ON owed.event_id = e.id WHERE {filter})"
    )
}

/// `None`: there is no such event.
pub(super) fn result_of(
    connection: &mut AnyConnection,
    id: EventId,
) -> QueryResult<Option<(EventId, EventResult)>> {
    let sql = format!(
        "{} SELECT id, result FROM found",
        events("e.id = $1", false)
    );
    let found: Option<Found> = diesel::sql_query(sql)
        .bind::<SqlUuid, _>(id)
        .get_result(connection)
        .optional()?;
    Ok(found.map(|found| (found.id, found.result)))
}

impl WebhookEventCriteria {
    pub(super) fn count(&self, connection: &mut AnyConnection) -> QueryResult<i64> {
        let sql = format!(
            "{} SELECT count(*) AS total FROM found WHERE ($5 IS NULL OR result = $5)",
            events(CRITERIA, false)
        );
        let total: Total = diesel::sql_query(sql)
            .bind::<BigInt, _>(self.start)
            .bind::<BigInt, _>(self.end)
            .bind::<Nullable<Text>, _>(self.event.as_deref().map(pattern))
            .bind::<Nullable<Text>, _>(&self.event_type)
            .bind::<Nullable<Text>, _>(self.result)
            .get_result(connection)?;
        Ok(total.total)
    }

    pub(super) fn find(
        &self,
        connection: &mut AnyConnection,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<Vec<(EventId, EventResult)>> {
        let by_attempt = sorts.iter().any(|sort| sort.field == "lastAttemptInstant");
        let sql = format!(
            "{} SELECT id, result FROM found WHERE ($5 IS NULL OR result = $5)
             ORDER BY {} LIMIT $6 OFFSET $7",
            events(CRITERIA, by_attempt),
            order(sorts)
        );
        let found: Vec<Found> = diesel::sql_query(sql)
            .bind::<BigInt, _>(self.start)
            .bind::<BigInt, _>(self.end)
            .bind::<Nullable<Text>, _>(self.event.as_deref().map(pattern))
            .bind::<Nullable<Text>, _>(&self.event_type)
            .bind::<Nullable<Text>, _>(self.result)
            .bind::<BigInt, _>(window.results)
            .bind::<BigInt, _>(window.start)
            .load(connection)?;
        Ok(found
            .into_iter()
            .map(|found| (found.id, found.result))
            .collect())
    }
}

/// Known fields only, so that nothing of the request gets into the text. The newest
/// come first among those that are equal.
fn order(sorts: &[Sort]) -> String {
    let mut order = String::new();
    for sort in sorts {
        let column = match sort.field {
            "eventResult" => "result",
            "eventType" => "event_type",
            "id" => "id",
            "insertInstant" => "insert_instant",
            "lastAttemptInstant" => "last_attempt",
            "linkedObjectId" => "linked_object_id",
            "sequence" => "sequence",
            _ => continue,
        };
        order.push_str(column);
        order.push_str(if sort.descending { " DESC, " } else { " ASC, " });
    }
    order + "sequence DESC"
}
