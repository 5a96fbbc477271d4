//! Actions taken together: what is asked for at the same time is read at once, and written
//! at once.
//!
//! Only for the plain case. What is refused, sends mail, needs the consent of webhooks or
//! has to keep an order goes its own way ([`super::prepare_take`]), where there is time to
//! say why. So everything here may answer "alone", and nothing has happened then.

use diesel::QueryResult;

use super::phase::Change;
use super::sources::{Known, Sources};
use super::take::prepare_from;
use super::{Call, Setup, TakeRequest};
use crate::db::{AnyConnection, bulk};
use crate::id::WebhookId;
use crate::model::action_log::ActionLog;
use crate::model::event::EventRow;
use crate::outbox::{self, NewDelivery, Payload};

/// One action to take.
#[derive(Debug)]
pub struct Taking {
    /// The call as a whole.
    pub call: Call,
    /// What is asked for.
    pub request: TakeRequest,
}

/// One of several starts, ready to be written.
#[derive(Debug)]
pub struct Start {
    change: Change,
    deliveries: Vec<NewDelivery>,
}

impl Start {
    /// What is written.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The same, for the answer.
    #[must_use]
    pub fn into_change(self) -> Change {
        self.change
    }
}

/// Builds what each of these starts writes; none: it goes alone.
///
/// # Errors
/// Those of the database.
pub fn prepare_together(
    connection: &mut AnyConnection,
    setup: &Setup,
    takings: &[Taking],
) -> QueryResult<Vec<Option<Start>>> {
    let known = Known::of(connection, takings.iter().map(|taking| &taking.request))?;
    let mut sources = Sources::knowing(connection, &known);
    let prepare = |taking: &Taking| {
        let change = prepare(&mut sources, setup, taking)?;
        let lanes = match &change.event {
            Some(event) => known.unordered_lanes(event.tenant_id)?,
            None => Vec::new(),
        };
        let deliveries = owed(change.event.as_ref(), lanes);
        Some(Start { change, deliveries })
    };
    Ok(takings.iter().map(prepare).collect())
}

fn prepare(sources: &mut Sources<'_>, setup: &Setup, taking: &Taking) -> Option<Change> {
    let Taking { call, request } = taking;
    // Rendering takes time that the others would wait for, and so do look-ups of its own.
    if !request.application_ids.is_empty() || sources.may_render(request).ok()? {
        return None;
    }
    let change = prepare_from(sources, setup, call, request).ok()?;
    change.question().is_none().then_some(change)
}

/// A delivery of the event to each webhook.
fn owed(event: Option<&EventRow>, lanes: Vec<WebhookId>) -> Vec<NewDelivery> {
    let Some(event) = event else {
        return Vec::new();
    };
    let delivery = |webhook: WebhookId| {
        let payload = Payload::Webhook(event.id);
        NewDelivery::at_once(webhook.into(), payload, event.insert_instant)
    };
    lanes.into_iter().map(delivery).collect()
}

/// Writes these starts: all of them, or none. On PostgreSQL it is one statement, and a
/// transaction of its own if none is open. Wake the workers afterwards if one of them leaves
/// work. That a definition was deactivated since they were prepared is not noticed: that
/// happened at the same time.
///
/// # Errors
/// Those of the database, references among them that do not hold any more: then all of them
/// go alone.
pub fn commit_together(connection: &mut AnyConnection, starts: &[&Start]) -> QueryResult<()> {
    let changes = || starts.iter().map(|start| &start.change);
    let logs: Vec<&ActionLog> = changes().map(|change| &change.log).collect();
    let events: Vec<&EventRow> = changes().filter_map(|c| c.event.as_ref()).collect();
    let deliveries = starts.iter().flat_map(|start| &start.deliveries);
    let deliveries: Vec<&NewDelivery> = deliveries.collect();
    let at_once = || {
        [
            ("new_logs", ActionLog::at_once(&logs)),
            ("new_events", EventRow::at_once(&events)),
            ("new_deliveries", outbox::at_once(&deliveries)),
        ]
    };
    bulk::insert(connection, at_once, |connection| {
        logs.iter().try_for_each(|log| log.insert(connection))?;
        events
            .iter()
            .try_for_each(|event| event.insert(connection))?;
        let mut deliveries = deliveries.iter();
        deliveries.try_for_each(|delivery| outbox::insert(connection, delivery))
    })
}
