//! A new delivery.

use diesel::prelude::*;

use super::{Kind, KindCode};
use crate::db::AnyConnection;
use crate::id::{DeliveryId, EmailId, EventId, LaneId};
use crate::instant::Instant;
use crate::schema::outbox;

/// What is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// An event, to the webhook that is the lane.
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
}

/// A delivery that is owed from now on.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Primary key.
    pub id: DeliveryId,
    /// What it queues behind.
    pub lane: LaneId,
    /// What is delivered.
    pub payload: Payload,
    /// Not before.
    pub due_at: Instant,
    /// When it came to be owed.
    pub insert_instant: Instant,
}

/// Adds a delivery to the outbox.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut AnyConnection, delivery: &NewDelivery) -> QueryResult<()> {
    let (event, email, recipient) = match &delivery.payload {
        Payload::Webhook(event) => (Some(*event), None, None),
        Payload::Email(email, recipient) => (None, Some(*email), Some(recipient.as_str())),
    };
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(delivery.id),
            outbox::kind.eq(KindCode::from(delivery.payload.kind())),
            outbox::lane.eq(delivery.lane),
            outbox::event_id.eq(event),
            outbox::email_id.eq(email),
            outbox::recipient.eq(recipient),
            outbox::attempt.eq(0),
            outbox::due_at.eq(delivery.due_at),
            outbox::insert_instant.eq(delivery.insert_instant),
        ))
        .execute(connection)?;
    Ok(())
}
