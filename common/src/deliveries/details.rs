//! Everything that tells why a delivery is where it is.

use std::collections::HashMap;

use diesel::prelude::*;

use super::DeliveryStatus;
use crate::db::{AnyConnection, Json};
use crate::id::{ActionLogId, DeliveryId, DestinationId, EmailId, EventId, UserId, WebhookId};
use crate::locale::Locale;
use crate::model::email::Mailbox;
use crate::model::mail_limit::MailLimit;
use crate::outbox::{
    Attempt, AttemptResult, Circuit, Delivery, DestinationState, Kind, Owed, Payload, Place,
    destination_states,
};
use crate::schema::{emails, events, outbox, webhooks};
use crate::unix_millis::UnixMillis;

/// Who is to get a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A webhook.
    Webhook {
        /// Which.
        id: WebhookId,
        /// Where it is; none: it was deleted.
        url: Option<String>,
    },
    /// A recipient of an email; none: the email is gone.
    Mailbox(Option<Box<MailDetails>>),
}

/// What is known of an email beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = emails)]
pub struct MailDetails {
    /// Primary key.
    pub id: EmailId,
    /// The log it tells of.
    pub action_log_id: Option<ActionLogId>,
    /// The event of the same phase.
    pub event_id: Option<EventId>,
    /// The user it is for.
    pub user_id: Option<UserId>,
    /// The same on every attempt.
    pub message_id: String,
    /// Whom its header names.
    pub to_addresses: Json<Vec<Mailbox>>,
    /// Subject.
    pub subject: String,
    /// What the reader preferred when it was written, best first: the locales of the parts
    /// were chosen by it.
    pub preferred_languages: Json<Vec<Locale>>,
    /// Which localized subject was chosen; none: the default.
    pub subject_locale: Option<Locale>,
    /// The same for the sender's name.
    pub from_name_locale: Option<Locale>,
    /// The same for the HTML part.
    pub html_locale: Option<Locale>,
    /// The same for the text part.
    pub text_locale: Option<Locale>,
}

/// A delivery with everything that tells why it is where it is.
#[derive(Debug, Clone)]
pub struct Details {
    /// The delivery.
    pub delivery: Delivery,
    /// Every attempt on record, in their order.
    pub attempts: Vec<Attempt>,
    /// Who is to get it.
    pub receiver: Receiver,
    /// What a parked one waits for.
    pub predecessor: Option<DeliveryId>,
    /// What its event tells of did not happen after all.
    pub rolled_back: bool,
    /// How its destination fares.
    pub(crate) destination: DestinationState,
    /// Requests a second that its destination takes.
    pub(crate) rate_limit: Option<i32>,
}

impl Details {
    /// The delivery with this Id.
    pub fn find(connection: &mut AnyConnection, id: DeliveryId) -> QueryResult<Option<Self>> {
        let found = Delivery::find(connection, id)?.into_iter().collect();
        Ok(Self::of(connection, found)?.pop())
    }

    /// What there is to know of these deliveries.
    pub fn of(connection: &mut AnyConnection, deliveries: Vec<Delivery>) -> QueryResult<Vec<Self>> {
        let ids: Vec<DeliveryId> = deliveries.iter().map(|delivery| delivery.id).collect();
        let mut earlier = Attempt::earlier(connection, &ids)?;
        let mut destinations: Vec<DestinationId> = deliveries
            .iter()
            .map(|delivery| delivery.destination)
            .collect();
        destinations.sort_unstable();
        destinations.dedup();
        let states = destination_states(connection, &destinations)?;
        let state_of = |destination| {
            let stored = states.iter().find(|state| state.destination == destination);
            let stored = stored.cloned();
            stored.unwrap_or_else(|| DestinationState::healthy(destination))
        };
        let receivers = Receivers::load(connection, &deliveries, &destinations)?;
        let rolled_back = rolled_back(connection, &deliveries)?;
        let mut details = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let mut attempts = earlier.remove(&delivery.id).unwrap_or_default();
            attempts.extend(delivery.deciding_attempt().cloned());
            let event = delivery.payload.event();
            details.push(Self {
                attempts,
                rolled_back: event.is_some_and(|event| rolled_back.contains(&event)),
                receiver: receivers.of(&delivery),
                rate_limit: receivers.rate_limits.get(&delivery.destination).copied(),
                predecessor: predecessor(connection, &delivery)?,
                destination: state_of(delivery.destination),
                delivery,
            });
        }
        Ok(details)
    }

    /// Where it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: UnixMillis) -> DeliveryStatus {
        let owed = match &self.delivery.place {
            Place::Decided(settled) => return settled.state.into(),
            Place::Owed(owed) => owed,
        };
        if owed.is_leased(now) {
            DeliveryStatus::Leased
        } else if self.held_since().is_some() {
            DeliveryStatus::Held
        } else {
            DeliveryStatus::Pending
        }
    }

    /// When the next attempt comes, as far as can be told.
    #[must_use]
    pub fn next_instant(&self, now: UnixMillis) -> Option<UnixMillis> {
        let Place::Owed(owed) = &self.delivery.place else {
            return None;
        };
        if self.standing(now) != DeliveryStatus::Pending || owed.parked {
            return None;
        }
        let rests = self.throttled_until(now).max(self.circuit_open_until(now));
        Some(owed.due_at.max(rests.unwrap_or(owed.due_at)))
    }

    /// Until when its destination is left alone, because its peer asked for it.
    #[must_use]
    pub fn throttled_until(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.destination
            .throttled_until
            .filter(|until| *until > now)
    }

    /// Until when its destination rests after failures in a row.
    pub(crate) fn circuit_open_until(&self, now: UnixMillis) -> Option<UnixMillis> {
        let until = self.destination.circuit_until.filter(|until| *until > now);
        until.filter(|_| self.destination.circuit == Circuit::Open)
    }

    /// The state of its destination's circuit; none for what is decided.
    #[must_use]
    pub fn circuit(&self) -> Option<&str> {
        match &self.delivery.place {
            Place::Decided(_) => None,
            Place::Owed(_) => Some(self.destination.circuit.as_str()),
        }
    }

    /// Since when its webhook is disabled.
    pub(crate) fn held_since(&self) -> Option<UnixMillis> {
        let is_webhook = self.delivery.payload.kind() == Kind::Webhook;
        self.destination.disabled_instant.filter(|_| is_webhook)
    }

    /// The attempt that failed last, unless one has succeeded since.
    #[must_use]
    pub fn last_failure(&self) -> Option<&Attempt> {
        let last = self.attempts.last()?;
        (last.result != AttemptResult::Success).then_some(last)
    }
}

/// Those events of these deliveries that did not happen after all.
fn rolled_back(
    connection: &mut AnyConnection,
    deliveries: &[Delivery],
) -> QueryResult<Vec<EventId>> {
    let ids: Vec<EventId> = deliveries
        .iter()
        .filter_map(|delivery| delivery.payload.event())
        .collect();
    events::table
        .filter(events::id.eq_any(ids))
        .filter(events::rolled_back.eq(true))
        .select(events::id)
        .load(connection)
}

/// The one right before it among those of the same user to the same destination.
fn predecessor(
    connection: &mut AnyConnection,
    delivery: &Delivery,
) -> QueryResult<Option<DeliveryId>> {
    let (user, sequence) = match &delivery.place {
        Place::Owed(Owed {
            parked: true,
            order: Some(order),
            ..
        }) => *order,
        _ => return Ok(None),
    };
    outbox::table
        .filter(outbox::destination.eq(delivery.destination))
        .filter(outbox::order_key.eq(user))
        .filter(outbox::sequence.lt(sequence))
        .order(outbox::sequence.desc())
        .select(outbox::id)
        .first(connection)
        .optional()
}

/// Webhooks and emails of several deliveries.
struct Receivers {
    webhooks: HashMap<WebhookId, String>,
    mails: HashMap<EmailId, MailDetails>,
    rate_limits: HashMap<DestinationId, i32>,
}

impl Receivers {
    fn load(
        connection: &mut AnyConnection,
        deliveries: &[Delivery],
        destinations: &[DestinationId],
    ) -> QueryResult<Self> {
        let ids: Vec<WebhookId> = destinations.iter().copied().map(WebhookId::from).collect();
        let webhooks: Vec<(WebhookId, String, Option<i32>)> = webhooks::table
            .filter(webhooks::id.eq_any(ids))
            .select((webhooks::id, webhooks::url, webhooks::rate_limit))
            .load(connection)?;
        let email = |delivery: &Delivery| match delivery.payload {
            Payload::Email(email, _) => Some(email),
            Payload::Webhook(_) => None,
        };
        let mails: Vec<EmailId> = deliveries.iter().filter_map(email).collect();
        let mails: Vec<MailDetails> = emails::table
            .filter(emails::id.eq_any(mails))
            .select(MailDetails::as_select())
            .load(connection)?;
        let mut rate_limits: HashMap<DestinationId, i32> = webhooks
            .iter()
            .filter_map(|(id, _, rate)| Some(((*id).into(), (*rate)?)))
            .collect();
        for limit in MailLimit::of_destinations(connection, destinations)? {
            rate_limits.insert(limit.destination, limit.rate_limit);
        }
        Ok(Self {
            rate_limits,
            webhooks: webhooks.into_iter().map(|(id, url, _)| (id, url)).collect(),
            mails: mails.into_iter().map(|mail| (mail.id, mail)).collect(),
        })
    }

    fn of(&self, delivery: &Delivery) -> Receiver {
        match &delivery.payload {
            Payload::Webhook(_) => {
                let id = WebhookId::from(delivery.destination);
                let url = self.webhooks.get(&id).cloned();
                Receiver::Webhook { id, url }
            }
            Payload::Email(id, _) => Receiver::Mailbox(self.mails.get(id).cloned().map(Box::new)),
        }
    }
}
