//! The event log: what an operator should know about.

use diesel::prelude::*;

use super::search::{Column, Found, Sort, Window, found, like, order};
use crate::db::sql_type::text_enum;
use crate::db::{AnyConnection, MultiBackend};
use crate::schema::event_logs;
use crate::unix_millis::UnixMillis;

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
    pub insert_instant: UnixMillis,
    /// How serious.
    pub event_type: EventLogType,
    /// For people.
    pub message: String,
}

impl EventLog {
    /// Adds an entry. Whatever it tells of must not fail because of it: the character NUL,
    /// which PostgreSQL cannot store, becomes U+FFFD.
    pub fn add(
        connection: &mut AnyConnection,
        now: UnixMillis,
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
    pub fn find(connection: &mut AnyConnection, id: i64) -> QueryResult<Option<Self>> {
        event_logs::table
            .find(id)
            .select(Self::as_select())
            .first(connection)
            .optional()
    }

    /// The entries with these numbers, in no order.
    pub fn load(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        event_logs::table
            .filter(event_logs::id.eq_any(ids.to_vec()))
            .select(Self::as_select())
            .load(connection)
    }

    /// How many entries meet the criteria, and the numbers of a part of them. Sorts by `id`,
    /// `insertInstant`, `message` and `type`, then the newest first.
    pub fn search(
        connection: &mut AnyConnection,
        criteria: &EventLogCriteria,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<Found<i64>> {
        let order = order(sorts, column, "id DESC");
        Ok(found!(
            connection,
            criteria.query(),
            event_logs::id,
            order,
            window
        ))
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
    pub start: Option<UnixMillis>,
    /// Not after.
    pub end: Option<UnixMillis>,
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

fn column(field: &str) -> Option<Column> {
    match field {
        "id" => Some(Column::Always("id")),
        "insertInstant" => Some(Column::Always("insert_instant")),
        "message" => Some(Column::Always("message")),
        "type" => Some(Column::Always("event_type")),
        _ => None,
    }
}
