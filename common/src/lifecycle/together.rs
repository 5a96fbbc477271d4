//! Actions taken together: what is asked for at the same time is read at once, and written
//! in one transaction.
//!
//! Only for the plain case. What is refused, sends mail, needs the consent of webhooks or
//! has to keep an order goes its own way ([`super::prepare_take`]), where there is time to
//! say why. So everything here may answer "alone", and nothing has happened then.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;

use super::commit::Conflict;
use super::phase::Change;
use super::sources::{Known, Sources};
use super::take::prepare_from;
use super::{Call, Setup, TakeRequest};
use crate::db::{AnyConnection, bulk};
use crate::id::{TenantId, UserActionId, WebhookId};
use crate::model::action_log::ActionLog;
use crate::model::event::EventRow;
use crate::model::user_action::UserAction;
use crate::model::webhook::Webhook;
use crate::outbox::{self, NewDelivery, Payload};

/// One action to take.
#[derive(Debug)]
pub struct Taking {
    /// The call as a whole.
    pub call: Call,
    /// What is asked for.
    pub request: TakeRequest,
}

/// Builds what each of these starts writes; none: it goes alone.
///
/// # Errors
/// Those of the database.
pub fn prepare_together(
    connection: &mut AnyConnection,
    setup: &Setup,
    takings: &[Taking],
) -> QueryResult<Vec<Option<Change>>> {
    let known = Known::of(connection, takings.iter().map(|taking| &taking.request))?;
    let mut sources = Sources::knowing(connection, &known);
    let prepare = |taking: &Taking| prepare(&mut sources, setup, taking);
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

/// Writes these changes. Call it in a write transaction, and wake the workers afterwards if
/// one of them leaves work. None: it goes alone.
///
/// # Errors
/// [`Conflict`]: all of them go alone, once the transaction has been rolled back.
pub fn commit_together(
    connection: &mut AnyConnection,
    mut changes: Vec<Option<Change>>,
) -> Result<Vec<Option<Change>>, Conflict> {
    let active = active_definitions(connection, &changes)?;
    let lanes = lanes(connection, &changes)?;
    for change in &mut changes {
        let fits = |change: &Change| {
            let in_order = change.event.as_ref().is_some_and(|event| {
                let lanes = lanes.get(&event.tenant_id);
                lanes.is_none_or(|lanes| lanes.iter().any(|(_, ordered)| *ordered))
            });
            active.contains(&change.log.user_action_id) && !in_order
        };
        *change = change.take().filter(fits);
    }
    let written = || changes.iter().flatten();
    let logs: Vec<&ActionLog> = written().map(|change| &change.log).collect();
    let events: Vec<&EventRow> = written()
        .filter_map(|change| change.event.as_ref())
        .collect();
    let deliveries: Vec<NewDelivery> = events
        .iter()
        .flat_map(|event| owed(event, lanes.get(&event.tenant_id)))
        .collect();
    let deliveries: Vec<&NewDelivery> = deliveries.iter().collect();
    insert_together(connection, &logs, &events, &deliveries)?;
    Ok(changes)
}

/// Adds what actions consist of, and checks nothing. On PostgreSQL in one statement.
///
/// # Errors
/// Those of the database.
pub fn insert_together(
    connection: &mut AnyConnection,
    logs: &[&ActionLog],
    events: &[&EventRow],
    deliveries: &[&NewDelivery],
) -> QueryResult<()> {
    let at_once = || {
        [
            ("new_logs", ActionLog::at_once(logs)),
            ("new_events", EventRow::at_once(events)),
            ("new_deliveries", outbox::at_once(deliveries)),
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

/// Checked again: it may have been deactivated since.
fn active_definitions(
    connection: &mut AnyConnection,
    changes: &[Option<Change>],
) -> QueryResult<BTreeSet<UserActionId>> {
    let ids: BTreeSet<_> = changes
        .iter()
        .flatten()
        .map(|change| change.log.user_action_id)
        .collect();
    let active = UserAction::active_among(connection, ids.into_iter().collect())?;
    Ok(active.into_iter().collect())
}

/// The webhooks that want the events of each tenant, and whether in order.
type Lanes = BTreeMap<TenantId, Vec<(WebhookId, bool)>>;

fn lanes(connection: &mut AnyConnection, changes: &[Option<Change>]) -> QueryResult<Lanes> {
    let events = changes.iter().flatten().filter_map(|c| c.event.as_ref());
    let tenants: BTreeSet<TenantId> = events.map(|event| event.tenant_id).collect();
    let lanes = |tenant| {
        let wanted = Webhook::for_user_action_in_order(connection, tenant)?;
        Ok((tenant, wanted))
    };
    tenants.into_iter().map(lanes).collect()
}

/// A delivery of the event to each webhook.
fn owed(event: &EventRow, lanes: Option<&Vec<(WebhookId, bool)>>) -> Vec<NewDelivery> {
    let delivery = |(webhook, _): &(WebhookId, bool)| {
        let payload = Payload::Webhook(event.id);
        NewDelivery::at_once((*webhook).into(), payload, event.insert_instant)
    };
    lanes.into_iter().flatten().map(delivery).collect()
}
