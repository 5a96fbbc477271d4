//! Events whose receivers decide whether what they tell of happens: what is asked, what was
//! answered, and what is written of it.

use std::collections::BTreeMap;

use diesel::QueryResult;

use super::phase::Change;
use crate::db::AnyConnection;
use crate::id::{DeliveryId, EventId, TenantId, WebhookId};
use crate::model::event::EventRow;
use crate::model::user::User;
use crate::model::user_action::TransactionType;
use crate::model::webhook::Webhook;
use crate::outbox::Disposition;
use crate::outbox::{self, AttemptRecord, DeliveryState, NewDelivery, Payload, PreAttempted};

/// What webhooks are asked before a change is committed.
#[derive(Debug, Clone)]
pub struct ConsentRequest {
    /// How many of them have to agree.
    pub transaction_type: TransactionType,
    /// Whose webhooks.
    pub tenant: TenantId,
    /// The event that they get, now and in every later attempt.
    pub event: EventId,
    /// Its bytes.
    pub body: String,
}

impl Change {
    /// What to ask webhooks before the commit. None: nobody has to agree, or there is nothing to
    /// agree to.
    #[must_use]
    pub fn consent_request(&self) -> Option<ConsentRequest> {
        let event = self.event.as_ref()?;
        let transaction_type = self.transaction_type();
        (transaction_type != TransactionType::None).then(|| ConsentRequest {
            transaction_type,
            tenant: event.tenant_id,
            event: event.id,
            body: event.body.clone(),
        })
    }
}

/// One webhook's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstAttempt {
    /// It was called.
    Made {
        /// How that went.
        record: AttemptRecord,
        /// What becomes of the delivery, if the change is committed.
        disposition: Disposition,
    },
    /// It is disabled or rests, so it was not called: it has not agreed.
    NotMade,
}

impl FirstAttempt {
    fn agreed(&self) -> bool {
        let agreed = Disposition::Finished(DeliveryState::Delivered);
        matches!(self, Self::Made { disposition, .. } if *disposition == agreed)
    }
}

/// What every webhook said that was asked. None at all: nobody was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstAttempts(pub BTreeMap<WebhookId, FirstAttempt>);

impl FirstAttempts {
    /// How many webhooks the event is for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.0.len()
    }

    /// How many of them have answered 2xx.
    #[must_use]
    pub fn agreed(&self) -> usize {
        self.0.values().filter(|attempt| attempt.agreed()).count()
    }

    /// Writes the event, and what is owed for it or has been settled already.
    pub(super) fn write(
        &self,
        connection: &mut AnyConnection,
        event: &EventRow,
    ) -> QueryResult<()> {
        event.insert(connection)?;
        let wanted = Webhook::for_user_action_in_order(connection, event.tenant_id)?;
        for (webhook, ordered) in &wanted {
            match self.0.get(webhook) {
                Some(FirstAttempt::Made {
                    record,
                    disposition,
                }) => {
                    begin(connection, event, *webhook, record, *disposition)?;
                }
                Some(FirstAttempt::NotMade) | None => owe(connection, event, *webhook, *ordered)?,
            }
        }
        // Whoever has stopped wanting it meanwhile may have got it all the same.
        let others = self
            .0
            .iter()
            .filter(|(webhook, _)| wanted.iter().all(|(wanted, _)| wanted != *webhook));
        for (webhook, attempt) in others {
            close(connection, event, *webhook, attempt)?;
        }
        Ok(())
    }
}

/// Writes down what was sent of a change that is not committed. Call it in a transaction of
/// its own. It finds the event there already if the change was committed after all.
pub fn record_rollback(
    connection: &mut AnyConnection,
    change: &Change,
    answers: &FirstAttempts,
) -> QueryResult<()> {
    let Some(event) = &change.event else {
        return Ok(());
    };
    if let Some(user) = event.linked_object_id
        && !User::hold(connection, user)?
    {
        // Erased meanwhile, with all that was written about them.
        return Ok(());
    }
    event.insert_rolled_back(connection)?;
    for (webhook, attempt) in &answers.0 {
        close(connection, event, *webhook, attempt)?;
    }
    Ok(())
}

/// A delivery that has not been tried.
fn owe(
    connection: &mut AnyConnection,
    event: &EventRow,
    webhook: WebhookId,
    ordered: bool,
) -> QueryResult<()> {
    let payload = Payload::Webhook(event.id);
    let delivery = NewDelivery::at_once(webhook.into(), payload, event.insert_instant);
    match event.linked_object_id.filter(|_| ordered) {
        Some(user) => outbox::insert_in_order(connection, &delivery, user),
        None => outbox::insert(connection, &delivery),
    }
}

/// A delivery after its first attempt.
fn begin(
    connection: &mut AnyConnection,
    event: &EventRow,
    webhook: WebhookId,
    record: &AttemptRecord,
    disposition: Disposition,
) -> QueryResult<()> {
    let delivery = tried(event, webhook);
    match disposition {
        Disposition::Finished(state) => delivery.finish(connection, Some(record), state),
        Disposition::Retry { at } | Disposition::Release { at } => {
            delivery.retry(connection, record, at)
        }
        Disposition::Hold => delivery.hold(connection, record),
    }
}

/// A delivery that nobody waits for any more.
fn close(
    connection: &mut AnyConnection,
    event: &EventRow,
    webhook: WebhookId,
    attempt: &FirstAttempt,
) -> QueryResult<()> {
    let state = match attempt.agreed() {
        true => DeliveryState::Delivered,
        false => DeliveryState::Canceled,
    };
    let record = match attempt {
        FirstAttempt::Made { record, .. } => Some(record),
        FirstAttempt::NotMade => None,
    };
    tried(event, webhook).finish(connection, record, state)
}

fn tried(event: &EventRow, webhook: WebhookId) -> PreAttempted {
    PreAttempted {
        id: DeliveryId::sequential(),
        destination: webhook.into(),
        event: event.id,
        insert_instant: event.insert_instant,
    }
}
