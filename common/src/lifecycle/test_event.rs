//! The `test` event: tells of no action, and goes to one webhook, for trying it out.

use diesel::QueryResult;
use serde::Serialize;

use crate::db::AnyConnection;
use crate::id::{DeliveryId, EventId, TenantId, WebhookId};
use crate::model::event::EventRow;
use crate::outbox::{self, NewDelivery, Payload};
use crate::unix_millis::UnixMillis;

/// The type of such an event.
const TYPE: &str = "test";

/// A test of one webhook.
#[derive(Debug, Clone)]
pub struct TestEvent {
    /// Which webhook.
    pub webhook: WebhookId,
    /// On whose behalf.
    pub tenant: TenantId,
    /// For whoever reads it there.
    pub message: String,
    /// The clock.
    pub now: UnixMillis,
}

#[derive(Serialize)]
struct Body<'a> {
    event: Event<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    create_instant: UnixMillis,
    id: EventId,
    message: &'a str,
    tenant_id: TenantId,
    #[serde(rename = "type")]
    event_type: &'a str,
}

/// Writes the event and its delivery, whatever events the webhook asks for. Call it in a
/// write transaction, and wake the workers after the commit.
pub fn raise_test(
    connection: &mut AnyConnection,
    test: &TestEvent,
) -> QueryResult<(EventId, DeliveryId)> {
    let (event, delivery) = (EventId::sequential(), DeliveryId::sequential());
    let body = Body {
        event: Event {
            create_instant: test.now,
            id: event,
            message: &test.message,
            tenant_id: test.tenant,
            event_type: TYPE,
        },
    };
    let body = serde_json::to_string(&body)
        .map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))?;
    EventRow {
        id: event,
        event_type: TYPE.to_owned(),
        tenant_id: test.tenant,
        action_log_id: None,
        linked_object_id: None,
        body,
        insert_instant: test.now,
    }
    .insert(connection)?;
    let owed = NewDelivery {
        id: delivery,
        destination: test.webhook.into(),
        payload: Payload::Webhook(event),
        due_at: test.now,
        insert_instant: test.now,
    };
    outbox::insert(connection, &owed)?;
    Ok((event, delivery))
}
