//! Everything that tells why a delivery is where it is.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{Delivery, DeliveryStatus, Owed, Place};
use crate::db::{AnyConnection, Json};
use crate::id::{ActionLogId, DeliveryId, DestinationId, EmailId, EventId, UserId, WebhookId};
use crate::locale::Locale;
use crate::model::email::Mailbox;
use crate::model::mail_limit::MailLimit;
use crate::outbox::{AttemptResult, Kind, Payload};
use crate::schema::{attempts, destination_states, emails, events, outbox, webhooks};
use crate::unix_millis::UnixMillis;

/// One try of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[diesel(table_name = attempts)]
struct AttemptRow {
    delivery_id: DeliveryId,
    number: i32,
    instant: UnixMillis,
    duration_millis: Option<i32>,
    result: AttemptResult,
    status_code: Option<i32>,
    class: Option<String>,
    message: Option<String>,
    response_excerpt: Option<String>,
}

/// How a destination fares; the default is that of a healthy one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = destination_states)]
pub(super) struct DestinationCondition {
    pub(super) throttled_until: Option<UnixMillis>,
    pub(super) circuit: String,
    pub(super) circuit_until: Option<UnixMillis>,
    pub(super) theoretical_arrival_micros: i64,
    pub(super) disabled_instant: Option<UnixMillis>,
    pub(super) disabled_reason: Option<String>,
}

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
    pub(super) destination: DestinationCondition,
    /// Requests a second that its destination takes.
    pub(super) rate_limit: Option<i32>,
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
        let mut earlier = earlier_attempts(connection, &ids)?;
        let mut destinations: Vec<DestinationId> = deliveries
            .iter()
            .map(|delivery| delivery.destination)
            .collect();
        destinations.sort_unstable();
        destinations.dedup();
        let conditions = destination_conditions(connection, &destinations)?;
        let receivers = Receivers::load(connection, &deliveries, &destinations)?;
        let rolled_back = rolled_back(connection, &deliveries)?;
        let mut details = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let mut attempts = earlier.remove(&delivery.id).unwrap_or_default();
            if let Place::Settled(settled) = &delivery.place {
                attempts.extend(settled.last_attempt.clone());
            }
            let event = delivery.payload.event();
            details.push(Self {
                attempts,
                rolled_back: event.is_some_and(|event| rolled_back.contains(&event)),
                receiver: receivers.of(&delivery),
                rate_limit: receivers.rate_limits.get(&delivery.destination).copied(),
                predecessor: predecessor(connection, &delivery)?,
                destination: conditions
                    .get(&delivery.destination)
                    .cloned()
                    .unwrap_or_default(),
                delivery,
            });
        }
        Ok(details)
    }

    /// Where it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: UnixMillis) -> DeliveryStatus {
        let owed = match &self.delivery.place {
            Place::Settled(settled) => return settled.state.into(),
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
    pub(super) fn circuit_open_until(&self, now: UnixMillis) -> Option<UnixMillis> {
        let until = self.destination.circuit_until.filter(|until| *until > now);
        until.filter(|_| self.destination.circuit == "Open")
    }

    /// The state of its destination's circuit; none for what is decided.
    #[must_use]
    pub fn circuit(&self) -> Option<&str> {
        match (&self.delivery.place, self.destination.circuit.as_str()) {
            (Place::Settled(_), _) => None,
            (Place::Owed(_), "") => Some("Closed"),
            (Place::Owed(_), circuit) => Some(circuit),
        }
    }

    /// Since when its webhook is disabled.
    pub(super) fn held_since(&self) -> Option<UnixMillis> {
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

impl Owed {
    /// A lease that has lapsed is none.
    pub(super) fn is_leased(&self, now: UnixMillis) -> bool {
        self.owner.is_some() && self.due_at > now
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

fn earlier_attempts(
    connection: &mut AnyConnection,
    ids: &[DeliveryId],
) -> QueryResult<HashMap<DeliveryId, Vec<Attempt>>> {
    let rows: Vec<AttemptRow> = attempts::table
        .filter(attempts::delivery_id.eq_any(ids.to_vec()))
        .order((attempts::delivery_id, attempts::number))
        .select(AttemptRow::as_select())
        .load(connection)?;
    let mut of: HashMap<DeliveryId, Vec<Attempt>> = HashMap::new();
    for row in rows {
        of.entry(row.delivery_id).or_default().push(Attempt {
            number: row.number,
            instant: row.instant,
            duration_millis: row.duration_millis,
            result: row.result,
            status_code: row.status_code,
            class: row.class,
            message: row.message,
            response_excerpt: row.response_excerpt,
        });
    }
    Ok(of)
}

fn destination_conditions(
    connection: &mut AnyConnection,
    destinations: &[DestinationId],
) -> QueryResult<HashMap<DestinationId, DestinationCondition>> {
    let rows: Vec<(DestinationId, DestinationCondition)> = destination_states::table
        .filter(destination_states::destination.eq_any(destinations.to_vec()))
        .select((
            destination_states::destination,
            DestinationCondition::as_select(),
        ))
        .load(connection)?;
    Ok(rows.into_iter().collect())
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
