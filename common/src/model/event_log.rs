//! The event log: what an operator should know about.

use diesel::prelude::*;

use super::search::{Sort, Window, like, sorted};
use crate::db::sql_type::text_enum;
use crate::db::{AnyConnection, MultiBackend};
use crate::instant::Instant;
use crate::schema::event_logs;

text_enum! {
    /// How serious an entry is.
    EventLogType {
        /// Good to know.
        Information = "Information",
        /// Detail.
        Debug = "Debug",
        /// Somebody should act.
        Error = "Error",
    }
}

/// An entry.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = event_logs)]
pub struct EventLog {
    /// Counts upwards.
    pub id: i64,
    /// When.
    pub insert_instant: Instant,
    /// How serious.
    pub event_type: EventLogType,
    /// For people.
    pub message: String,
}

impl EventLog {
    /// Adds an entry. Whatever it tells of must not fail because of it: the character NUL,
    /// which PostgreSQL cannot store, becomes U+FFFD.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add(
        connection: &mut AnyConnection,
        now: Instant,
        event_type: EventLogType,
        message: &str,
    ) -> QueryResult<()> {
        diesel::insert_into(event_logs::table)
            .values((
                event_logs::insert_instant.eq(now),
                event_logs::event_type.eq(event_type),
                event_logs::message.eq(message.replace('\0', "\u{fffd}")),
            ))
            .execute(connection)?;
        Ok(())
    }

    /// The entry with this number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn find(connection: &mut AnyConnection, id: i64) -> QueryResult<Option<Self>> {
        event_logs::table
            .find(id)
            .select(Self::as_select())
            .first(connection)
            .optional()
    }

    /// How many entries meet the criteria, and a part of them. Sorts by `id`,
    /// `insertInstant`, `message` and `type`, then the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn search(
        connection: &mut AnyConnection,
        criteria: &EventLogCriteria,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<(i64, Vec<Self>)> {
        let total = criteria.query().count().get_result(connection)?;
        let sorted = sorted!(
            criteria.query(), sorts,
            "id" => event_logs::id,
            "insertInstant" => event_logs::insert_instant,
            "message" => event_logs::message,
            "type" => event_logs::event_type,
        );
        let found = sorted
            .then_order_by(event_logs::id.desc())
            .limit(window.results)
            .offset(window.start)
            .select(Self::as_select())
            .load(connection)?;
        Ok((total, found))
    }
}

/// Which entries to find.
#[derive(Debug, Clone, Default)]
pub struct EventLogCriteria {
    /// In the message, read as [`super::search::pattern`] says.
    pub message: Option<String>,
    /// How serious.
    pub event_type: Option<EventLogType>,
    /// Not before.
    pub start: Option<Instant>,
    /// Not after.
    pub end: Option<Instant>,
}

impl EventLogCriteria {
    fn query(&self) -> event_logs::BoxedQuery<'_, MultiBackend> {
        let mut query = event_logs::table.into_boxed();
        if let Some(message) = &self.message {
            query = query.filter(like!(event_logs::message, message));
        }
        if let Some(event_type) = self.event_type {
            query = query.filter(event_logs::event_type.eq(event_type));
        }
        if let Some(start) = self.start {
            query = query.filter(event_logs::insert_instant.ge(start));
        }
        if let Some(end) = self.end {
            query = query.filter(event_logs::insert_instant.le(end));
        }
        query
    }
}
