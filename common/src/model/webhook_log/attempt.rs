//! Attempts, wherever they are kept: the last one of a settled delivery within it, the
//! earlier ones in a table of their own.

use std::collections::HashMap;
use std::fmt;

use diesel::prelude::*;
use uuid::Uuid;

use crate::db::AnyConnection;
use crate::id::{DeliveryId, DestinationId, EventId, WebhookId};
use crate::model::webhook::Webhook;
use crate::outbox::AttemptResult;
use crate::schema::{attempts, deliveries, outbox};
use crate::unix_millis::UnixMillis;

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
    /// When it began.
    pub start: UnixMillis,
    /// How long it took, in milliseconds, if that is known.
    pub duration_millis: Option<i32>,
    /// How it went.
    pub result: AttemptResult,
    /// The receiver's answer, if there was one.
    pub status_code: Option<i32>,
    /// What kind of failure it was.
    pub class: Option<String>,
    /// The failure, in words.
    pub message: Option<String>,
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

/// A delivery that has left the outbox.
#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct Settled {
    id: DeliveryId,
    destination: DestinationId,
    event_id: Option<EventId>,
    attempt: i32,
    attempt_instant: Option<UnixMillis>,
    duration_millis: Option<i32>,
    result: Option<AttemptResult>,
    status_code: Option<i32>,
    class: Option<String>,
    message: Option<String>,
}

/// An earlier attempt.
#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts)]
struct Earlier {
    delivery_id: DeliveryId,
    number: i32,
    instant: UnixMillis,
    duration_millis: Option<i32>,
    result: AttemptResult,
    status_code: Option<i32>,
    class: Option<String>,
    message: Option<String>,
}

/// Every attempt for these events, in their order.
pub(super) fn of_events(
    connection: &mut AnyConnection,
    events: &[EventId],
) -> QueryResult<Vec<LoggedAttempt>> {
    let settled: Vec<Settled> = deliveries::table
        .filter(deliveries::event_id.eq_any(events.to_vec()))
        .select(Settled::as_select())
        .load(connection)?;
    let owed: Vec<(DeliveryId, DestinationId, Option<EventId>)> = outbox::table
        .filter(outbox::event_id.eq_any(events.to_vec()))
        .select((outbox::id, outbox::destination, outbox::event_id))
        .load(connection)?;
    let of: HashMap<DeliveryId, (EventId, WebhookId)> = settled
        .iter()
        .map(|row| (row.id, row.destination, row.event_id))
        .chain(owed)
        .filter_map(|(id, destination, event)| Some((id, (event?, destination.into()))))
        .collect();
    let earlier: Vec<Earlier> = attempts::table
        .filter(attempts::delivery_id.eq_any(of.keys().copied().collect::<Vec<_>>()))
        .select(Earlier::as_select())
        .load(connection)?;
    let mut found: Vec<LoggedAttempt> = settled
        .into_iter()
        .filter_map(Settled::last_attempt)
        .chain(earlier)
        .filter_map(|attempt| attempt.logged(&of))
        .collect();
    found.sort_by_key(|attempt| (attempt.start, attempt.id));
    name_receivers(connection, &mut found)?;
    Ok(found)
}

impl Settled {
    /// The attempt that settled it; a delivery may also be settled without one.
    fn last_attempt(self) -> Option<Earlier> {
        Some(Earlier {
            delivery_id: self.id,
            number: self.attempt,
            instant: self.attempt_instant?,
            duration_millis: self.duration_millis,
            result: self.result?,
            status_code: self.status_code,
            class: self.class,
            message: self.message,
        })
    }
}

impl Earlier {
    fn logged(self, of: &HashMap<DeliveryId, (EventId, WebhookId)>) -> Option<LoggedAttempt> {
        let (event, webhook) = of.get(&self.delivery_id).copied()?;
        Some(LoggedAttempt {
            id: AttemptId::new(self.delivery_id, self.number),
            event,
            webhook,
            url: None,
            start: self.instant,
            duration_millis: self.duration_millis,
            result: self.result,
            status_code: self.status_code,
            class: self.class,
            message: self.message,
        })
    }
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
