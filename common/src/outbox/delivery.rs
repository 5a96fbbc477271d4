//! A delivery, wherever it is: in the outbox, or decided and in `deliveries`.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{AttemptResult, DeliveryState, PRIORITY_BLOCKED, Payload};
use crate::db::AnyConnection;
use crate::id::{DeliveryId, DestinationId, EmailId, EventId, LeaseToken, UserId};
use crate::schema::{attempts, deliveries, outbox};
use crate::unix_millis::UnixMillis;

/// A delivery, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Primary key of whichever table it is in; it moves with the row.
    pub id: DeliveryId,
    /// What it queues behind.
    pub destination: DestinationId,
    /// What is delivered.
    pub payload: Payload,
    /// The number of the last attempt that was begun; 0: none.
    pub attempt: i32,
    /// When it came to be owed.
    pub insert_instant: UnixMillis,
    /// Where it is.
    pub place: Place,
}

/// Where a delivery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the outbox.
    Owed(Owed),
    /// Decided.
    Decided(Decided),
}

/// What the outbox knows of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Not before; while it is leased, the end of the lease.
    pub due_at: UnixMillis,
    /// Who has taken it last without having settled it.
    pub owner: Option<String>,
    /// It waits for another one.
    pub parked: bool,
    /// Whose deliveries to this destination arrive in order, and where it stands among them.
    pub order: Option<(UserId, i64)>,
    /// Attempts before the schedule last began anew.
    pub base_attempt: i32,
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// How.
    pub state: DeliveryState,
    /// When.
    pub instant: UnixMillis,
    /// The attempt that decided it; it may also be decided without one.
    pub last_attempt: Option<Attempt>,
}

/// One attempt to make a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = attempts)]
pub struct Attempt {
    /// Counts from 1.
    pub number: i32,
    /// When it began.
    pub instant: UnixMillis,
    /// How long it took, if that is known.
    pub duration_millis: Option<i32>,
    /// How it went.
    pub result: AttemptResult,
    /// HTTP or SMTP status, if there was an answer.
    pub status_code: Option<i32>,
    /// What kind of failure it was.
    pub class: Option<String>,
    /// The failure, in words.
    pub message: Option<String>,
    /// The beginning of the answer.
    pub response_excerpt: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
struct OwedRow {
    id: DeliveryId,
    destination: DestinationId,
    event_id: Option<EventId>,
    email_id: Option<EmailId>,
    recipient: Option<String>,
    attempt: i32,
    due_at: UnixMillis,
    lease_token: Option<LeaseToken>,
    lease_owner: Option<String>,
    insert_instant: UnixMillis,
    priority: i16,
    order_key: Option<UserId>,
    sequence: Option<i64>,
    base_attempt: i32,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct DecidedRow {
    id: DeliveryId,
    destination: DestinationId,
    event_id: Option<EventId>,
    email_id: Option<EmailId>,
    recipient: Option<String>,
    state: DeliveryState,
    attempt: i32,
    insert_instant: UnixMillis,
    settle_instant: UnixMillis,
    attempt_instant: Option<UnixMillis>,
    duration_millis: Option<i32>,
    result: Option<AttemptResult>,
    status_code: Option<i32>,
    class: Option<String>,
    message: Option<String>,
    response_excerpt: Option<String>,
}

fn payload(
    event: Option<EventId>,
    email: Option<EmailId>,
    recipient: Option<String>,
) -> Option<Payload> {
    match (event, email) {
        (Some(event), _) => Some(Payload::Webhook(event)),
        (None, Some(email)) => Some(Payload::Email(email, recipient.unwrap_or_default())),
        (None, None) => None,
    }
}

impl Owed {
    /// A lease that has expired is none.
    pub(crate) fn is_leased(&self, now: UnixMillis) -> bool {
        self.owner.is_some() && self.due_at > now
    }
}

impl Attempt {
    /// The attempts at these deliveries, in their order, but those that decided them, which
    /// are part of the [`Decided`].
    pub(crate) fn earlier(
        connection: &mut AnyConnection,
        ids: &[DeliveryId],
    ) -> QueryResult<HashMap<DeliveryId, Vec<Self>>> {
        let rows: Vec<(DeliveryId, Self)> = attempts::table
            .filter(attempts::delivery_id.eq_any(ids.to_vec()))
            .order((attempts::delivery_id, attempts::number))
            .select((attempts::delivery_id, Self::as_select()))
            .load(connection)?;
        let mut of: HashMap<DeliveryId, Vec<Self>> = HashMap::new();
        for (delivery, attempt) in rows {
            of.entry(delivery).or_default().push(attempt);
        }
        Ok(of)
    }
}

impl OwedRow {
    fn delivery(self) -> Option<Delivery> {
        let leased = self.lease_token.is_some();
        Some(Delivery {
            id: self.id,
            destination: self.destination,
            payload: payload(self.event_id, self.email_id, self.recipient)?,
            attempt: self.attempt,
            insert_instant: self.insert_instant,
            place: Place::Owed(Owed {
                due_at: self.due_at,
                owner: leased.then(|| self.lease_owner.unwrap_or_default()),
                parked: self.priority == PRIORITY_BLOCKED,
                order: self.order_key.zip(self.sequence),
                base_attempt: self.base_attempt,
            }),
        })
    }
}

impl DecidedRow {
    fn delivery(self) -> Option<Delivery> {
        let last_attempt = self.result.zip(self.attempt_instant);
        let last_attempt = last_attempt.map(|(result, instant)| Attempt {
            number: self.attempt,
            instant,
            duration_millis: self.duration_millis,
            result,
            status_code: self.status_code,
            class: self.class,
            message: self.message,
            response_excerpt: self.response_excerpt,
        });
        Some(Delivery {
            id: self.id,
            destination: self.destination,
            payload: payload(self.event_id, self.email_id, self.recipient)?,
            attempt: self.attempt,
            insert_instant: self.insert_instant,
            place: Place::Decided(Decided {
                state: self.state,
                instant: self.settle_instant,
                last_attempt,
            }),
        })
    }
}

impl Delivery {
    /// The delivery with this Id.
    pub fn find(connection: &mut AnyConnection, id: DeliveryId) -> QueryResult<Option<Self>> {
        Ok(Self::load(connection, &[id])?.pop())
    }

    /// These deliveries, in this order, as far as they exist.
    pub fn load(connection: &mut AnyConnection, ids: &[DeliveryId]) -> QueryResult<Vec<Self>> {
        let mut found = HashMap::new();
        // What is settled between the two reads is found in both, and the later one holds.
        for delivery in owed(connection, ids)? {
            found.insert(delivery.id, delivery);
        }
        for delivery in settled(connection, ids)? {
            found.insert(delivery.id, delivery);
        }
        let missing: Vec<DeliveryId> = ids
            .iter()
            .filter(|id| !found.contains_key(id))
            .copied()
            .collect();
        // What was sent again between the two reads has slipped through both.
        for delivery in owed(connection, &missing)? {
            found.insert(delivery.id, delivery);
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

impl Delivery {
    /// The deliveries of these events.
    pub(crate) fn of_events(
        connection: &mut AnyConnection,
        events: &[EventId],
    ) -> QueryResult<Vec<Self>> {
        let decided: Vec<DecidedRow> = deliveries::table
            .filter(deliveries::event_id.eq_any(events.to_vec()))
            .select(DecidedRow::as_select())
            .load(connection)?;
        let owed: Vec<OwedRow> = outbox::table
            .filter(outbox::event_id.eq_any(events.to_vec()))
            .select(OwedRow::as_select())
            .load(connection)?;
        let decided = decided.into_iter().filter_map(DecidedRow::delivery);
        let owed = owed.into_iter().filter_map(OwedRow::delivery);
        Ok(decided.chain(owed).collect())
    }

    /// The attempt that decided it, if it is decided, and not without one.
    #[must_use]
    pub fn deciding_attempt(&self) -> Option<&Attempt> {
        match &self.place {
            Place::Decided(decided) => decided.last_attempt.as_ref(),
            Place::Owed(_) => None,
        }
    }
}

fn owed(connection: &mut AnyConnection, ids: &[DeliveryId]) -> QueryResult<Vec<Delivery>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<OwedRow> = outbox::table
        .filter(outbox::id.eq_any(ids.to_vec()))
        .select(OwedRow::as_select())
        .load(connection)?;
    Ok(rows.into_iter().filter_map(OwedRow::delivery).collect())
}

fn settled(connection: &mut AnyConnection, ids: &[DeliveryId]) -> QueryResult<Vec<Delivery>> {
    let rows: Vec<DecidedRow> = deliveries::table
        .filter(deliveries::id.eq_any(ids.to_vec()))
        .select(DecidedRow::as_select())
        .load(connection)?;
    Ok(rows.into_iter().filter_map(DecidedRow::delivery).collect())
}
