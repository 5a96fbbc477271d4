//! Attempts, wherever they are kept: the last one of a settled delivery within it, the
//! earlier ones in a table of their own.

use std::collections::HashMap;
use std::fmt;

use diesel::prelude::*;
use uuid::Uuid;

use crate::db::AnyConnection;
use crate::id::{DeliveryId, EventId, WebhookId};
use crate::model::webhook::Webhook;
use crate::outbox::{Attempt, Delivery};
use crate::schema::{deliveries, outbox};

/// What an attempt is called outside: its delivery's Id, with the attempt's number in
/// place of the twelve bits beside the version. So an attempt needs no Id of its own in
/// the database, and is found by it all the same: a delivery is known by the time and the
/// 62 other bits of its Id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(Uuid);

const SEQUENTIAL: u8 = 0x70;
/// "Vendor specific", which this is.
const CUSTOM: u8 = 0x80;
const MOST: i32 = 0x0fff;

impl AttemptId {
    fn new(delivery: DeliveryId, number: i32) -> Self {
        let [high, low] = u16::try_from(number.clamp(0, MOST))
            .unwrap_or_default()
            .to_be_bytes();
        Self(with_middle(delivery.uuid(), CUSTOM | high, low))
    }

    /// The first and the last Id that the delivery may have.
    fn deliveries(self) -> (DeliveryId, DeliveryId) {
        let first = with_middle(self.0, SEQUENTIAL, 0).as_u128() & !u128::from(u64::MAX);
        let last = with_middle(self.0, SEQUENTIAL | 0x0f, 0xff).as_u128() | u128::from(u64::MAX);
        (Uuid::from_u128(first).into(), Uuid::from_u128(last).into())
    }

    fn is_of(self, delivery: DeliveryId) -> bool {
        self.0.as_u64_pair().1 == delivery.uuid().as_u64_pair().1
    }
}

/// The Id with other bytes where version and number stand.
fn with_middle(id: Uuid, version: u8, low: u8) -> Uuid {
    let mut bytes = id.into_bytes();
    let [_, _, _, _, _, _, first, second, ..] = &mut bytes;
    (*first, *second) = (version, low);
    Uuid::from_bytes(bytes)
}

impl From<Uuid> for AttemptId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One try of one delivery.
#[derive(Debug, Clone)]
pub struct LoggedAttempt {
    /// What it is called outside.
    pub id: AttemptId,
    /// The event that was sent.
    pub event: EventId,
    /// The webhook that it was sent to.
    pub webhook: WebhookId,
    /// Where that is, if it still exists.
    pub url: Option<String>,
    /// How it went.
    pub attempt: Attempt,
}

impl LoggedAttempt {
    /// The attempt with this Id.
    pub fn find(connection: &mut AnyConnection, id: AttemptId) -> QueryResult<Option<Self>> {
        let Some(event) = event_of(connection, id)? else {
            return Ok(None);
        };
        let attempts = of_events(connection, &[event])?;
        Ok(attempts.into_iter().find(|attempt| attempt.id == id))
    }
}

fn event_of(connection: &mut AnyConnection, id: AttemptId) -> QueryResult<Option<EventId>> {
    let (first, last) = id.deliveries();
    let mut candidates: Vec<(DeliveryId, Option<EventId>)> = deliveries::table
        .filter(deliveries::id.ge(first).and(deliveries::id.le(last)))
        .select((deliveries::id, deliveries::event_id))
        .load(connection)?;
    candidates.extend(
        outbox::table
            .filter(outbox::id.ge(first).and(outbox::id.le(last)))
            .select((outbox::id, outbox::event_id))
            .load::<(DeliveryId, Option<EventId>)>(connection)?,
    );
    let delivery = candidates.into_iter().find(|(found, _)| id.is_of(*found));
    Ok(delivery.and_then(|(_, event)| event))
}

/// Every attempt for these events, in their order.
pub(super) fn of_events(
    connection: &mut AnyConnection,
    events: &[EventId],
) -> QueryResult<Vec<LoggedAttempt>> {
    let deliveries = Delivery::of_events(connection, events)?;
    let ids: Vec<DeliveryId> = deliveries.iter().map(|delivery| delivery.id).collect();
    let mut earlier = Attempt::earlier(connection, &ids)?;
    let mut found = Vec::new();
    for delivery in &deliveries {
        let Some(event) = delivery.payload.event() else {
            continue;
        };
        let earlier = earlier.remove(&delivery.id).unwrap_or_default();
        let all = earlier
            .into_iter()
            .chain(delivery.deciding_attempt().cloned());
        found.extend(all.map(|attempt| LoggedAttempt {
            id: AttemptId::new(delivery.id, attempt.number),
            event,
            webhook: delivery.destination.into(),
            url: None,
            attempt,
        }));
    }
    found.sort_by_key(|logged| (logged.attempt.instant, logged.id));
    name_receivers(connection, &mut found)?;
    Ok(found)
}

fn name_receivers(
    connection: &mut AnyConnection,
    attempts: &mut [LoggedAttempt],
) -> QueryResult<()> {
    let mut ids: Vec<WebhookId> = attempts.iter().map(|attempt| attempt.webhook).collect();
    ids.sort_unstable();
    ids.dedup();
    let webhooks = Webhook::load(connection, &ids)?;
    let urls: HashMap<WebhookId, String> = webhooks
        .into_iter()
        .map(|webhook| (webhook.id, webhook.url))
        .collect();
    for attempt in attempts {
        attempt.url = urls.get(&attempt.webhook).cloned();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_leads_to_its_delivery() {
        let (delivery, other) = (DeliveryId::sequential(), DeliveryId::sequential());
        let (one, two) = (AttemptId::new(delivery, 1), AttemptId::new(delivery, 2));
        assert_ne!(one, two);
        for attempt in [one, two, AttemptId::new(delivery, i32::MAX)] {
            let (first, last) = attempt.deliveries();
            assert!(first <= delivery && delivery <= last);
            assert!(attempt.is_of(delivery) && !attempt.is_of(other));
            assert_eq!(attempt.0.get_version_num(), 8);
        }
    }
}
