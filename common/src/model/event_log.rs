//! The event log: what an operator should know about.

use diesel::prelude::*;

use crate::db::AnyConnection;
use crate::db::sql_type::text_enum;
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
    /// Adds an entry.
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
                event_logs::message.eq(message),
            ))
            .execute(connection)?;
        Ok(())
    }
}
