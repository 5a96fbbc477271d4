//! What a batch of settlements says about the destinations.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;

use super::Settlement;
use crate::db::{AnyConnection, CachedInList};
use crate::id::{DeliveryId, DestinationId, WebhookId};
use crate::outbox::health::{AttemptSignal, DestinationEvent, DestinationState, PeerSignal, lock};
use crate::outbox::{Kind, KindCode};
use crate::schema::{deliveries, destination_states, outbox, webhooks};
use crate::unix_millis::UnixMillis;

type Reports = BTreeMap<DestinationId, Vec<AttemptSignal>>;

/// An attempt at a webhook that nobody had claimed: it was made before there was a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnclaimedAttempt {
    /// Who was called.
    pub webhook: WebhookId,
    /// When.
    pub began: UnixMillis,
    /// When it was over.
    pub ended: UnixMillis,
    /// What it says about the webhook.
    pub peer_signal: PeerSignal,
}

/// Brings the states of webhooks up to date after attempts that nobody had claimed. Call it in
/// a write transaction of its own: locks are taken in no order with those of others.
pub(crate) fn take_note(
    connection: &mut AnyConnection,
    attempts: &[UnclaimedAttempt],
    disable_after: Option<Duration>,
) -> QueryResult<Vec<(DestinationId, DestinationEvent)>> {
    let mut signals = Reports::new();
    for attempt in attempts {
        if attempt.peer_signal == PeerSignal::Silent {
            continue;
        }
        let of_destination = signals.entry(attempt.webhook.into()).or_default();
        of_destination.push(AttemptSignal {
            began: attempt.began,
            ended: attempt.ended,
            peer_signal: attempt.peer_signal,
            probe: None,
        });
    }
    let all_webhooks = |_: &mut AnyConnection, destinations: Vec<DestinationId>| Ok(destinations);
    conclude(connection, signals, disable_after, all_webhooks)
}

/// Brings the states of the destinations up to date. Destinations that do well, and did before, cost
/// one look for all of them.
pub(super) fn apply_signals(
    connection: &mut AnyConnection,
    batch: &[Settlement],
    disable_after: Option<Duration>,
) -> QueryResult<Vec<(DestinationId, DestinationEvent)>> {
    let of_webhooks = |connection: &mut AnyConnection, destinations: Vec<DestinationId>| {
        webhooks_among(connection, batch, &destinations)
    };
    conclude(connection, signals(batch), disable_after, of_webhooks)
}

/// `of_webhooks` picks the destinations that webhooks have, or had, out of others.
fn conclude(
    connection: &mut AnyConnection,
    signals: Reports,
    disable_after: Option<Duration>,
    of_webhooks: impl FnOnce(&mut AnyConnection, Vec<DestinationId>) -> QueryResult<Vec<DestinationId>>,
) -> QueryResult<Vec<(DestinationId, DestinationEvent)>> {
    let bad =
        |signals: &Vec<AttemptSignal>| signals.iter().any(|r| r.peer_signal != PeerSignal::Good);
    let (troubled, fine): (Reports, Reports) =
        signals.into_iter().partition(|(_, signals)| bad(signals));
    let fine_destinations: Vec<DestinationId> = fine.keys().copied().collect();
    let mut concerned = known_to_fail(connection, fine_destinations)?;
    concerned.extend(troubled.keys().copied());
    if concerned.is_empty() {
        return Ok(Vec::new());
    }
    concerned.sort_unstable();
    // Nobody would ever remove the state of a webhook that is gone.
    let strange = without_webhook(connection, &concerned)?;
    if !strange.is_empty() {
        let deleted = of_webhooks(connection, strange)?;
        concerned.retain(|destination| !deleted.contains(destination));
    }
    let mut happenings = Vec::new();
    for (destination, before) in lock(connection, &concerned)? {
        let of_destination = troubled
            .get(&destination)
            .or_else(|| fine.get(&destination));
        let of_destination = of_destination.map(Vec::as_slice).unwrap_or_default();
        let Some(now) = of_destination.iter().map(|signal| signal.ended).max() else {
            continue;
        };
        let (after, happened) = before.clone().after(of_destination, disable_after);
        write(connection, &before, &after, now)?;
        happenings.extend(happened.into_iter().map(|event| (destination, event)));
    }
    Ok(happenings)
}

fn signals(batch: &[Settlement]) -> Reports {
    let mut signals = Reports::new();
    for settlement in batch {
        // Silence says nothing, unless somebody waits for the answer.
        if settlement.peer_signal == PeerSignal::Silent && settlement.probe.is_none() {
            continue;
        }
        let began = settlement.record.as_ref().map(|record| record.instant);
        signals
            .entry(settlement.destination)
            .or_default()
            .push(AttemptSignal {
                began: began.unwrap_or(settlement.now),
                ended: settlement.now,
                peer_signal: settlement.peer_signal,
                probe: settlement.probe,
            });
    }
    signals
}

/// Which of these destinations a success makes a difference to.
fn known_to_fail(
    connection: &mut AnyConnection,
    destinations: Vec<DestinationId>,
) -> QueryResult<Vec<DestinationId>> {
    if destinations.is_empty() {
        return Ok(Vec::new());
    }
    let few = destinations.len();
    let failing = destination_states::table
        .filter(destination_states::destination.eq_any(destinations))
        .filter(
            destination_states::failures
                .gt(0)
                .or(destination_states::throttles.gt(0)),
        )
        .select(destination_states::destination);
    CachedInList::of(few, failing).load(connection)
}

/// Those of these destinations that no webhook has. The webhooks that exist stay until the end of
/// the transaction; one that somebody is deleting is not waited for, since whoever deletes it
/// may be waiting for what this transaction has written.
fn without_webhook(
    connection: &mut AnyConnection,
    destinations: &[DestinationId],
) -> QueryResult<Vec<DestinationId>> {
    let ids: Vec<WebhookId> = destinations.iter().copied().map(WebhookId::from).collect();
    let existing = webhooks::table
        .filter(webhooks::id.eq_any(ids))
        .select(webhooks::id);
    let existing: Vec<WebhookId> = match connection {
        AnyConnection::Pg(connection) => existing.for_key_share().skip_locked().load(connection)?,
        AnyConnection::Sqlite(connection) => existing.load(connection)?,
    };
    let mut destinations = destinations.to_vec();
    destinations.retain(|destination| !existing.contains(&WebhookId::from(*destination)));
    Ok(destinations)
}

/// Those of these destinations by which the batch had webhooks' deliveries. The others are
/// tenants' mail.
fn webhooks_among(
    connection: &mut AnyConnection,
    batch: &[Settlement],
    destinations: &[DestinationId],
) -> QueryResult<Vec<DestinationId>> {
    let concerned = batch
        .iter()
        .filter(|item| destinations.contains(&item.destination));
    let ids: Vec<DeliveryId> = concerned.map(|settlement| settlement.id).collect();
    let webhook = KindCode::from(Kind::Webhook);
    let mut found: Vec<DestinationId> = outbox::table
        .filter(outbox::id.eq_any(ids.clone()))
        .filter(outbox::kind.eq(webhook))
        .select(outbox::destination)
        .load(connection)?;
    let settled: Vec<DestinationId> = deliveries::table
        .filter(deliveries::id.eq_any(ids))
        .filter(deliveries::kind.eq(webhook))
        .select(deliveries::destination)
        .load(connection)?;
    found.extend(settled);
    Ok(found)
}

fn write(
    connection: &mut AnyConnection,
    before: &DestinationState,
    after: &DestinationState,
    now: UnixMillis,
) -> QueryResult<()> {
    if after.is_plain(now) {
        DestinationState::forget(connection, after.destination)
    } else if after != before {
        after.save(connection)
    } else {
        Ok(())
    }
}
