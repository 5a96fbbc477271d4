//! Actions taken together: what is asked for at the same time is read at once, and written
//! in one transaction.
//!
//! Only for the plain case. What is refused, sends mail, needs the consent of webhooks or
//! has to keep an order goes its own way ([`super::prepare_take`]), where there is time to
//! say why. So everything here may answer "alone", and nothing has happened then.

use std::sync::Arc;

use diesel::QueryResult;

use super::commit::Conflict;
use super::config_snapshot::{ConfigCache, ConfigSnapshot, Destinations};
use super::phase::Change;
use super::reader::{Prefetched, Reader};
use super::take::prepare_from;
use super::{Call, Setup, TakeRequest};
use crate::db::bulk;
use crate::db::{AnyConnection, ConfigEpoch, Notice};
use crate::id::WebhookId;
use crate::model::action_log::ActionLog;
use crate::model::event::EventRow;
use crate::outbox::{self, NewDelivery, Payload};
use crate::unix_millis::UnixMillis;

/// One action to take.
#[derive(Debug)]
pub struct BatchItem {
    /// The call as a whole.
    pub call: Call,
    /// What is asked for.
    pub request: TakeRequest,
}

/// What is ready to be written together.
#[derive(Debug)]
pub struct Batch {
    changes: Vec<Option<Change>>,
    deliveries: Vec<NewDelivery>,
    /// What all of it rests on. That the actionees exist is seen to by the foreign keys.
    snapshot: Arc<ConfigSnapshot>,
    prepared_at: UnixMillis,
}

impl Batch {
    /// Whether all of them go alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(Option::is_none)
    }
}

/// Builds what each of these starts writes, as far as it does not go alone anyway.
pub fn prepare_batch(
    connection: &mut AnyConnection,
    setup: &Setup,
    snapshot: &Arc<ConfigSnapshot>,
    items: &[Option<&BatchItem>],
    now: UnixMillis,
) -> QueryResult<Batch> {
    let batch = |changes, deliveries| Batch {
        changes,
        deliveries,
        snapshot: Arc::clone(snapshot),
        prepared_at: now,
    };
    if items.iter().all(Option::is_none) {
        return Ok(batch(Vec::new(), Vec::new()));
    }
    let requests = items.iter().flatten().map(|item| &item.request);
    let prefetched = Prefetched::of(connection, snapshot, requests)?;
    let mut reader = Reader::prefetched(connection, &prefetched);
    let mut deliveries = Vec::new();
    let mut prepare = |item: &BatchItem| {
        let change = prepare(&mut reader, setup, item)?;
        if let Some(event) = &change.event {
            deliveries.extend(owed(event, prefetched.destinations(event.tenant_id)?)?);
        }
        Some(change)
    };
    let changes = items.iter().map(|item| prepare((*item)?)).collect();
    Ok(batch(changes, deliveries))
}

fn prepare(reader: &mut Reader<'_>, setup: &Setup, item: &BatchItem) -> Option<Change> {
    let BatchItem { call, request } = item;
    // Rendering takes time that the others would wait for, and so do look-ups of its own.
    if !request.application_ids.is_empty() || reader.may_render(request).ok()? {
        return None;
    }
    let change = prepare_from(reader, setup, call, request).ok()?;
    change.consent_request().is_none().then_some(change)
}

/// A delivery of the event to each webhook of its tenant. None: one of them keeps an order.
fn owed(event: &EventRow, destinations: &Destinations) -> Option<Vec<NewDelivery>> {
    let delivery = |(webhook, ordered): &(WebhookId, bool)| {
        let payload = Payload::Webhook(event.id);
        let delivery = NewDelivery::at_once((*webhook).into(), payload, event.insert_instant);
        (!ordered).then_some(delivery)
    };
    destinations.iter().map(delivery).collect()
}

/// Writes what was prepared, and returns each change that did not have to go alone. Call it
/// where one statement may write, and wake the workers for webhooks afterwards if one of them
/// leaves work: those of this process, if the commit has given `notice` to the others.
///
/// # Errors
/// [`Conflict::Changed`]: the configuration is not of the epoch any more that they rest on, and
/// nothing was written. Prepared once more, they rest on what there is now. Or that of the
/// database.
pub fn commit_batch(
    connection: &mut AnyConnection,
    cache: &ConfigCache,
    batch: Batch,
    notice: Option<Notice>,
) -> Result<Vec<Option<Change>>, Conflict> {
    let changes = || batch.changes.iter().flatten();
    let logs: Vec<&ActionLog> = changes().map(|change| &change.log).collect();
    let events: Vec<&EventRow> = changes()
        .filter_map(|change| change.event.as_ref())
        .collect();
    let deliveries: Vec<&NewDelivery> = batch.deliveries.iter().collect();
    let notice = notice.filter(|_| !deliveries.is_empty());
    let epoch = Some(batch.snapshot.epoch());
    if !insert(connection, epoch, notice, &logs, &events, &deliveries)? {
        cache.discard(&batch.snapshot);
        return Err(Conflict::Changed);
    }
    batch.snapshot.confirm(batch.prepared_at);
    Ok(batch.changes)
}

/// Adds what actions consist of, and checks nothing. On PostgreSQL in one statement.
pub fn insert_batch(
    connection: &mut AnyConnection,
    logs: &[&ActionLog],
    events: &[&EventRow],
    deliveries: &[&NewDelivery],
) -> QueryResult<()> {
    insert(connection, None, None, logs, events, deliveries)?;
    Ok(())
}

fn insert(
    connection: &mut AnyConnection,
    epoch: Option<ConfigEpoch>,
    notice: Option<Notice>,
    logs: &[&ActionLog],
    events: &[&EventRow],
    deliveries: &[&NewDelivery],
) -> QueryResult<bool> {
    let at_once = || {
        [
            ("new_logs", ActionLog::at_once(logs)),
            ("new_events", EventRow::at_once(events)),
            ("new_deliveries", outbox::at_once(deliveries)),
        ]
    };
    let one_by_one = |connection: &mut AnyConnection| {
        logs.iter().try_for_each(|log| log.insert(connection))?;
        let mut events = events.iter();
        events.try_for_each(|event| event.insert(connection))?;
        let mut deliveries = deliveries.iter();
        deliveries.try_for_each(|delivery| outbox::insert(connection, delivery))
    };
    bulk::insert(connection, epoch, notice, at_once, one_by_one)
}
