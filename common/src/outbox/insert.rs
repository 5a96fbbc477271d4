//! A new delivery.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text};

use super::{Kind, KindCode};
use crate::db::bulk::{self, Bulk, column};
use crate::db::{AnyConnection, SqlUuid};
use crate::id::{DeliveryId, DestinationId, EmailId, EventId};
use crate::schema::outbox;
use crate::unix_millis::UnixMillis;

/// What is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// An event, to the webhook that is the destination.
    Webhook(EventId),
    /// An email, to this envelope recipient.
    Email(EmailId, String),
}

impl Payload {
    /// Which kind of delivery this makes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Webhook(_) => Kind::Webhook,
            Self::Email(..) => Kind::Email,
        }
    }

    /// The event, if it is one.
    #[must_use]
    pub fn event(&self) -> Option<EventId> {
        match self {
            Self::Webhook(event) => Some(*event),
            Self::Email(..) => None,
        }
    }

    /// The email, if it is one.
    #[must_use]
    pub fn email(&self) -> Option<EmailId> {
        match self {
            Self::Webhook(_) => None,
            Self::Email(email, _) => Some(*email),
        }
    }

    /// The envelope recipient of an email.
    #[must_use]
    pub fn recipient(&self) -> Option<&str> {
        match self {
            Self::Webhook(_) => None,
            Self::Email(_, recipient) => Some(recipient),
        }
    }
}

/// A delivery that is owed from now on.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Primary key.
    pub id: DeliveryId,
    /// What it queues behind.
    pub destination: DestinationId,
    /// What is delivered.
    pub payload: Payload,
    /// Not before.
    pub due_at: UnixMillis,
    /// When it came to be owed.
    pub insert_instant: UnixMillis,
}

impl NewDelivery {
    /// A delivery that is due as soon as it is owed.
    #[must_use]
    pub fn at_once(destination: DestinationId, payload: Payload, instant: UnixMillis) -> Self {
        Self {
            id: DeliveryId::sequential(),
            destination,
            payload,
            due_at: instant,
            insert_instant: instant,
        }
    }
}

/// The columns in the order of `at_once`.
const INSERT: &str = "INSERT INTO outbox (id, kind, destination, event_id, email_id, recipient, \
     attempt, due_at, insert_instant)";

/// These deliveries, to be added together.
pub(crate) fn at_once<'r>(deliveries: &[&'r NewDelivery]) -> Bulk<'r> {
    let kind = |delivery: &NewDelivery| KindCode::from(delivery.payload.kind());
    Bulk::new(INSERT)
        .column::<Array<SqlUuid>, _>(column(deliveries, |delivery| delivery.id))
        .column::<Array<SmallInt>, _>(column(deliveries, kind))
        .column::<Array<SqlUuid>, _>(column(deliveries, |delivery| delivery.destination))
        .column::<Array<Nullable<SqlUuid>>, _>(column(deliveries, |d| d.payload.event()))
        .column::<Array<Nullable<SqlUuid>>, _>(column(deliveries, |d| d.payload.email()))
        .column::<Array<Nullable<Text>>, _>(column(deliveries, |d| d.payload.recipient()))
        .column::<Array<Integer>, _>(column(deliveries, |_| 0))
        .column::<Array<BigInt>, _>(column(deliveries, |delivery| delivery.due_at))
        .column::<Array<BigInt>, _>(column(deliveries, |delivery| delivery.insert_instant))
}

/// Adds these deliveries to the outbox: on PostgreSQL in one statement. Each is due as soon
/// as it is owed.
pub fn insert_all(connection: &mut AnyConnection, deliveries: &[NewDelivery]) -> QueryResult<()> {
    let all: Vec<&NewDelivery> = deliveries.iter().collect();
    let at_once = || [("added", at_once(&all))];
    bulk::insert(connection, None, None, at_once, |connection| {
        for delivery in deliveries {
            insert(connection, delivery)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Adds a delivery to the outbox.
pub fn insert(connection: &mut AnyConnection, delivery: &NewDelivery) -> QueryResult<()> {
    let payload = &delivery.payload;
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(delivery.id),
            outbox::kind.eq(KindCode::from(payload.kind())),
            outbox::destination.eq(delivery.destination),
            outbox::event_id.eq(payload.event()),
            outbox::email_id.eq(payload.email()),
            outbox::recipient.eq(payload.recipient()),
            outbox::attempt.eq(0),
            outbox::due_at.eq(delivery.due_at),
            outbox::insert_instant.eq(delivery.insert_instant),
        ))
        .execute(connection)?;
    Ok(())
}
