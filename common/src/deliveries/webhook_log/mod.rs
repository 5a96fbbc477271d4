//! The webhook event log: events as they were sent, what became of them, and every try to
//! deliver them. Nothing is written for it: it is read out of the tables that the
//! delivery itself works with.

mod attempt;
mod search;
#[cfg(test)]
mod tests;

pub use attempt::{AttemptId, LoggedAttempt};
pub use search::WebhookEventCriteria;

use diesel::prelude::*;

use crate::db::AnyConnection;
use crate::db::sql_type::text_enum;
use crate::id::{EventId, UserId};
use crate::model::search::{Found, Sort, Window};
use crate::schema::events;
use crate::unix_millis::UnixMillis;

text_enum! {
    /// What has become of an event.
    EventResult {
        /// Some delivery of it is still to come, or waits for its webhook.
        Running = "Running",
        /// Whoever was to have it, has it.
        Succeeded = "Succeeded",
        /// Some delivery of it was given up, or too few receivers agreed to it.
        Failed = "Failed",
    }
}

/// An event as it is stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct LoggedEvent {
    /// Primary key.
    pub id: EventId,
    /// `user.action`
    pub event_type: String,
    /// The user it tells of.
    pub linked_object_id: Option<UserId>,
    /// The body, to the byte.
    pub body: String,
    /// When it was raised.
    pub insert_instant: UnixMillis,
    /// Counts the events.
    pub sequence: i64,
}

/// An event and what has become of it.
#[derive(Debug, Clone)]
pub struct WebhookEventLog {
    /// The event.
    pub event: LoggedEvent,
    /// What has become of it.
    pub result: EventResult,
    /// Every try so far, in their order.
    pub attempts: Vec<LoggedAttempt>,
}

impl WebhookEventLog {
    /// The log of one event.
    pub fn find(connection: &mut AnyConnection, id: EventId) -> QueryResult<Option<Self>> {
        let found = search::result_of(connection, id)?;
        Ok(Self::load(connection, &found.into_iter().collect::<Vec<_>>())?.pop())
    }

    /// Which events meet the criteria.
    pub fn search(
        connection: &mut AnyConnection,
        criteria: &WebhookEventCriteria,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<Found<(EventId, EventResult)>> {
        Ok(Found {
            total: criteria.count(connection)?,
            ids: criteria.find(connection, sorts, window)?,
        })
    }

    /// Everything about these events, in their order.
    pub fn load(
        connection: &mut AnyConnection,
        found: &[(EventId, EventResult)],
    ) -> QueryResult<Vec<Self>> {
        let ids: Vec<EventId> = found.iter().map(|(id, _)| *id).collect();
        let mut events: Vec<LoggedEvent> = events::table
            .filter(events::id.eq_any(ids.clone()))
            .select(LoggedEvent::as_select())
            .load(connection)?;
        let mut attempts = attempt::of_events(connection, &ids)?;
        let logs = found.iter().filter_map(|(id, result)| {
            let position = events.iter().position(|event| event.id == *id)?;
            Some(Self {
                event: events.swap_remove(position),
                result: *result,
                attempts: attempts
                    .extract_if(.., |attempt| attempt.event == *id)
                    .collect(),
            })
        });
        Ok(logs.collect())
    }

    /// When it was tried last.
    #[must_use]
    pub fn last_attempt(&self) -> Option<UnixMillis> {
        self.attempts
            .iter()
            .map(|attempt| attempt.attempt.instant)
            .max()
    }
}
