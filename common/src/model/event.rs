//! Events: the exact bytes that are signed and sent.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use crate::db::bulk::{Bulk, column};
use crate::db::{AnyConnection, CachedInList, SqlUuid};
use crate::id::{ActionLogId, EventId, TenantId, UserId};
use crate::schema::events;
use crate::unix_millis::UnixMillis;

/// One event. Rows are never changed.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = events)]
pub struct EventRow {
    /// Primary key; `webhook-id` of every delivery of it.
    pub id: EventId,
    /// `user.action`
    pub event_type: String,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The log it tells of.
    pub action_log_id: Option<ActionLogId>,
    /// The user it tells of.
    pub linked_object_id: Option<UserId>,
    /// The body, to the byte.
    pub body: String,
    /// When it was raised.
    pub insert_instant: UnixMillis,
}

/// The columns in the order of [`EventRow::at_once`].
const INSERT: &str = "INSERT INTO events (id, event_type, tenant_id, action_log_id, \
     linked_object_id, body, insert_instant)";

impl EventRow {
    /// Adds this event.
    pub fn insert(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        diesel::insert_into(events::table)
            .values(self)
            .execute(connection)?;
        Ok(())
    }

    /// These events, to be added together.
    pub(crate) fn at_once<'r>(events: &[&'r Self]) -> Bulk<'r> {
        Bulk::new(INSERT)
            .column::<Array<SqlUuid>, _>(column(events, |event| event.id))
            .column::<Array<Text>, _>(column(events, |event| event.event_type.as_str()))
            .column::<Array<SqlUuid>, _>(column(events, |event| event.tenant_id))
            .column::<Array<Nullable<SqlUuid>>, _>(column(events, |event| event.action_log_id))
            .column::<Array<Nullable<SqlUuid>>, _>(column(events, |event| event.linked_object_id))
            .column::<Array<Text>, _>(column(events, |event| event.body.as_str()))
            .column::<Array<BigInt>, _>(column(events, |event| event.insert_instant))
    }

    /// Adds this event as one that did not happen after all, though receivers were asked
    /// about it. It is there to be read in the log.
    pub fn insert_rolled_back(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        diesel::insert_into(events::table)
            .values((self, events::rolled_back.eq(true)))
            .execute(connection)?;
        Ok(())
    }

    /// The bodies of these events.
    pub fn bodies(
        connection: &mut AnyConnection,
        ids: &[EventId],
    ) -> QueryResult<Vec<(EventId, String)>> {
        let bodies = events::table
            .filter(events::id.eq_any(ids.to_vec()))
            .select((events::id, events::body));
        CachedInList::of(ids.len(), bodies).load(connection)
    }
}
