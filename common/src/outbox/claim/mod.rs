//! Claim: take due deliveries for a while.
//!
//! The cost must grow neither with delivered history nor with the backlog of one
//! destination. So a claim looks at the first row of each destination and priority ([`mod@scan`]), decides who
//! gets how much ([`plan`]), makes sure of what only one may have ([`exclusive`]), and
//! takes a few rows of each destination by the index `(kind, destination, priority, due_at)` ([`mod@lease`]).

mod exclusive;
mod lease;
mod plan;
#[cfg(test)]
mod plan_tests;
mod scan;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use diesel::prelude::*;

use super::health::{Admission, Rate};
use super::{Kind, Payload};
use crate::db::{AnyConnection, ConfigEpoch};
use crate::id::{DeliveryId, DestinationId, LeaseToken};
use crate::unix_millis::UnixMillis;
#[cfg(test)]
pub(super) use lease::LEASE_POSTGRES;
use lease::{Row, lease};
use plan::Plan;
#[cfg(test)]
pub(super) use scan::SCAN_POSTGRES;
use scan::{Head, scan};

/// What to claim.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// Which kind.
    pub kind: Kind,
    /// The clock.
    pub now: UnixMillis,
    /// Until when the rows are the claimer's.
    pub lease_end: UnixMillis,
    /// Who claims, for operators to read.
    pub owner: String,
    /// Rows at most.
    pub limit: usize,
    /// Rows of one destination at most.
    pub per_destination: usize,
    /// What the claimer knows of destinations.
    pub destinations: Destinations,
}

/// What a claimer knows of destinations, beside what all know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations {
    /// Not these. They cost neither attempts nor scanned rows.
    pub closed: Vec<DestinationId>,
    /// These only up to a limit for all of them.
    pub degraded: Vec<DestinationId>,
    /// Which one.
    pub degraded_limit: usize,
    /// These do well and may have so many rows, whatever the limits of the request: the
    /// claimer keeps at hand what cannot be sent yet. With a limited rate they get no more
    /// than others.
    pub prefetch: Vec<(DestinationId, usize)>,
}

/// A delivery that is the claimer's until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub id: DeliveryId,
    /// Its destination.
    pub destination: DestinationId,
    /// What is delivered.
    pub payload: Payload,
    /// The number of the attempt that is to be made now, from 1. It counts from the
    /// claim on, so that a payload that kills the process still meets its limit.
    pub attempt: i32,
    /// Attempts made before the schedule last began anew.
    pub base_attempt: i32,
    /// It is the one that its destination is tried with: the end of its lease.
    pub probe: Option<UnixMillis>,
    /// The right to settle.
    pub token: LeaseToken,
    /// When the delivery came to be owed.
    pub insert_instant: UnixMillis,
    /// Since when it could be claimed.
    pub due_at: UnixMillis,
    /// The configuration at the moment of the claim: a webhook is sent to as it was then, or
    /// has become since.
    pub config_epoch: ConfigEpoch,
    /// The body of the event: a claim of few events brings it along on PostgreSQL.
    pub inline_payload: Option<Arc<str>>,
}

/// Takes what is due. On PostgreSQL it needs no transaction around it
/// ([`Db::write_autocommit`](crate::db::Db::write_autocommit)), and opens one itself where only
/// one claim at a time may have what it takes.
pub fn claim(connection: &mut AnyConnection, request: &ClaimRequest) -> QueryResult<Vec<Claimed>> {
    let mut plan = Plan::new(&scan(connection, request.kind)?, request);
    let token = LeaseToken::random();
    let postgres = matches!(connection, AnyConnection::Pg(_));
    let rows = match (postgres, plan.contended().is_empty()) {
        (true, true) => lease_in_steps(connection, &mut plan, request, token)?,
        (true, false) => connection
            .transaction(|connection| lease_at_once(connection, &mut plan, request, token))?,
        (false, _) => lease_at_once(connection, &mut plan, request, token)?,
    };
    let probes = plan
        .destinations
        .iter()
        .filter(|destination| destination.probe);
    let probes: HashSet<DestinationId> = probes
        .map(|destination| destination.state.destination)
        .collect();
    let claimed = |row: Row| {
        let probe = probes
            .contains(&row.destination)
            .then_some(request.lease_end);
        claimed(row, token, probe)
    };
    Ok(rows.into_iter().filter_map(claimed).collect())
}

/// Within a transaction.
fn lease_at_once(
    connection: &mut AnyConnection,
    plan: &mut Plan,
    request: &ClaimRequest,
    token: LeaseToken,
) -> QueryResult<Vec<Row>> {
    let mut rows = Vec::new();
    exclusive::lock_exclusive(connection, plan, request)?;
    lease_all(connection, plan, request, token, &mut rows)?;
    exclusive::consume(connection, plan, request)?;
    Ok(rows)
}

/// Each round is a transaction by itself. What one has taken is to be delivered, whatever
/// becomes of the next.
fn lease_in_steps(
    connection: &mut AnyConnection,
    plan: &mut Plan,
    request: &ClaimRequest,
    token: LeaseToken,
) -> QueryResult<Vec<Row>> {
    let mut rows = Vec::new();
    match lease_all(connection, plan, request, token, &mut rows) {
        Ok(()) => Ok(rows),
        Err(error) if rows.is_empty() => Err(error),
        Err(error) => {
            tracing::warn!("cannot claim more than {} deliveries: {error}", rows.len());
            Ok(rows)
        }
    }
}

fn lease_all(
    connection: &mut AnyConnection,
    plan: &mut Plan,
    request: &ClaimRequest,
    token: LeaseToken,
    rows: &mut Vec<Row>,
) -> QueryResult<()> {
    loop {
        // What some destinations left of their share goes to the others in the next round.
        let wants = plan.round();
        if wants.is_empty() {
            return Ok(());
        }
        let mut taken = lease(connection, request, token, &wants)?;
        let mut counts = HashMap::<(DestinationId, i16), usize>::new();
        for row in &taken {
            *counts
                .entry((row.destination, row.former_priority))
                .or_default() += 1;
        }
        for want in &wants {
            let count = counts.get(&(want.destination, want.priority)).copied();
            plan.took(want, count.unwrap_or_default());
        }
        rows.append(&mut taken);
    }
}

fn claimed(row: Row, token: LeaseToken, probe: Option<UnixMillis>) -> Option<Claimed> {
    let payload = match (row.event_id, row.email_id) {
        (Some(event), _) => Payload::Webhook(event),
        (None, Some(email)) => Payload::Email(email, row.recipient.unwrap_or_default()),
        (None, None) => return None,
    };
    Some(Claimed {
        id: row.id,
        destination: row.destination,
        payload,
        attempt: row.attempt,
        base_attempt: row.base_attempt,
        probe,
        token,
        insert_instant: row.insert_instant,
        due_at: row.former_due_at,
        config_epoch: row.config_epoch.into(),
        inline_payload: row.body.map(Arc::from),
    })
}

/// When the next delivery of this kind can be claimed, leases that may lapse included.
/// Destinations in `skip` do not count, nor do disabled ones.
pub fn next_due(
    connection: &mut AnyConnection,
    kind: Kind,
    now: UnixMillis,
    skip: &[DestinationId],
) -> QueryResult<Option<UnixMillis>> {
    let skip: HashSet<&DestinationId> = skip.iter().collect();
    let heads = scan(connection, kind)?;
    let open = heads
        .iter()
        .filter(|head| !skip.contains(&head.state.destination));
    Ok(open.filter_map(|head| ready_at(head, now)).min())
}

/// When a destination's first row can be claimed; never, as long as the destination is disabled.
fn ready_at(head: &Head, now: UnixMillis) -> Option<UnixMillis> {
    let open_at = match head.state.admission(now) {
        Admission::Disabled => return None,
        Admission::Until(until) => until,
        Admission::Open | Admission::Probe => head.due_at,
    };
    let rate = head.rate_limit.and_then(Rate::per_second);
    let token_at = rate.map_or(head.due_at, |rate| {
        rate.next(head.state.theoretical_arrival_micros)
    });
    Some(head.due_at.max(open_at).max(token_at))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
