//! Actions taken together: what is asked for at the same time is read at once, and written
//! in one transaction.
//!
//! Only for the plain case. What is refused, sends mail, needs the consent of webhooks or
//! has to keep an order goes its own way ([`super::prepare_take`]), where there is time to
//! say why. So everything here may answer "alone", and nothing has happened then.

use diesel::QueryResult;

use super::basis::Basis;
use super::commit::Conflict;
use super::phase::Change;
use super::reader::{Prefetched, Reader};
use super::remembered::{Destinations, KeyInUse, Remembered};
use super::take::prepare_from;
use super::{Call, Setup, TakeRequest};
use crate::db::bulk;
use crate::db::{AnyConnection, Notice};
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
    /// The key it is asked for with, if that has to be right still when it is written.
    pub key: Option<KeyInUse>,
}

/// What is ready to be written together.
#[derive(Debug, Default)]
pub struct Batch {
    changes: Vec<Option<Change>>,
    basis: Basis,
    prepared_at: Option<UnixMillis>,
}

impl Batch {
    /// Whether all of them go alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(Option::is_none)
    }
}

/// Builds what each of these starts writes, as far as it does not go alone anyway.
///
/// # Errors
/// Those of the database.
pub fn prepare_batch(
    connection: &mut AnyConnection,
    setup: &Setup,
    remembered: &Remembered,
    takings: &[Option<&BatchItem>],
    now: UnixMillis,
) -> QueryResult<Batch> {
    if takings.iter().all(Option::is_none) {
        return Ok(Batch::default());
    }
    let requests = takings.iter().flatten().map(|taking| &taking.request);
    let known = Prefetched::of(connection, remembered, requests, now)?;
    let destinations = known.destinations();
    let mut reader = Reader::knowing(connection, &known);
    let mut prepare = |taking: &BatchItem| {
        let change = prepare(&mut reader, setup, taking)?;
        (!keeps_order(&change, destinations)).then_some(change)
    };
    let changes: Vec<Option<Change>> = takings.iter().map(|taking| prepare((*taking)?)).collect();
    let keys = takings
        .iter()
        .flatten()
        .filter_map(|taking| taking.key.clone())
        .collect();
    let applied = changes.iter().flatten();
    let definitions = applied.map(|change| change.log.user_action_id).collect();
    Ok(Batch {
        changes,
        basis: known.basis(definitions, keys),
        prepared_at: Some(now),
    })
}

fn prepare(reader: &mut Reader<'_>, setup: &Setup, taking: &BatchItem) -> Option<Change> {
    let BatchItem { call, request, .. } = taking;
    // Rendering takes time that the others would wait for, and so do look-ups of its own.
    if !request.application_ids.is_empty() || reader.may_render(request).ok()? {
        return None;
    }
    let change = prepare_from(reader, setup, call, request).ok()?;
    change.consent_request().is_none().then_some(change)
}

fn keeps_order(change: &Change, destinations: &Destinations) -> bool {
    change.event.as_ref().is_some_and(|event| {
        let destinations = destinations.get(&event.tenant_id);
        destinations.is_none_or(|destinations| destinations.iter().any(|(_, ordered)| *ordered))
    })
}

/// Writes what was prepared, and returns each change that did not have to go alone. Call it
/// where one statement may write, and wake the workers for webhooks afterwards if one of them
/// leaves work: those of this process, if the commit has given `notice` to the others.
///
/// # Errors
/// [`Conflict::Changed`]: what they rest on is not what was remembered or read, and nothing
/// was written. It is forgotten: prepared once more, they rest on what there is now. Or that
/// of the database.
pub fn commit_batch(
    connection: &mut AnyConnection,
    remembered: &Remembered,
    together: Batch,
    notice: Option<Notice>,
) -> Result<Vec<Option<Change>>, Conflict> {
    let Batch {
        changes,
        basis,
        prepared_at,
    } = together;
    let written = || changes.iter().flatten();
    let logs: Vec<&ActionLog> = written().map(|change| &change.log).collect();
    let events: Vec<&EventRow> = written()
        .filter_map(|change| change.event.as_ref())
        .collect();
    let Some(deliveries) = owed(&events, &basis.destinations) else {
        remembered.forget();
        return Err(Conflict::Changed);
    };
    let notice = notice.filter(|_| !deliveries.is_empty());
    let deliveries: Vec<&NewDelivery> = deliveries.iter().collect();
    if !insert(connection, &basis, notice, &logs, &events, &deliveries)? {
        remembered.forget();
        return Err(Conflict::Changed);
    }
    if let Some(now) = prepared_at {
        remembered.were_right(&basis, now);
    }
    Ok(changes)
}

/// Adds what actions consist of, and checks nothing. On PostgreSQL in one statement.
///
/// # Errors
/// Those of the database.
pub fn insert_batch(
    connection: &mut AnyConnection,
    logs: &[&ActionLog],
    events: &[&EventRow],
    deliveries: &[&NewDelivery],
) -> QueryResult<()> {
    insert(
        connection,
        &Basis::default(),
        None,
        logs,
        events,
        deliveries,
    )?;
    Ok(())
}

fn insert(
    connection: &mut AnyConnection,
    basis: &Basis,
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
        if !basis.holds(connection)? {
            return Ok(false);
        }
        logs.iter().try_for_each(|log| log.insert(connection))?;
        events
            .iter()
            .try_for_each(|event| event.insert(connection))?;
        let mut deliveries = deliveries.iter();
        deliveries.try_for_each(|delivery| outbox::insert(connection, delivery))?;
        Ok(true)
    };
    bulk::insert(
        connection,
        || basis.conditions(),
        notice,
        at_once,
        one_by_one,
    )
}

/// A delivery of each event to each webhook of its tenant. None: of one of the tenants nobody
/// knows what webhooks it has, which is not the same as that it has none.
fn owed(events: &[&EventRow], destinations: &Destinations) -> Option<Vec<NewDelivery>> {
    let mut owed = Vec::new();
    for event in events {
        let wanting = destinations.get(&event.tenant_id)?;
        owed.extend(wanting.iter().map(|(webhook, _)| {
            let payload = Payload::Webhook(event.id);
            NewDelivery::at_once((*webhook).into(), payload, event.insert_instant)
        }));
    }
    Some(owed)
}
