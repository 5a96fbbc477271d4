//! What a batch of settlements says about the lanes.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{LanePolicy, Settlement};
use crate::db::{AnyConnection, Listing};
use crate::id::{DeliveryId, LaneId, WebhookId};
use crate::instant::Instant;
use crate::outbox::health::{Happening, Judgement, LaneState, Report, lock, tell};
use crate::outbox::{Kind, KindCode};
use crate::schema::{deliveries, lane_states, outbox, webhooks};

type Reports = BTreeMap<LaneId, Vec<Report>>;

/// An attempt at a webhook that nobody had claimed: it was made before there was a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnclaimedAttempt {
    /// Who was called.
    pub webhook: WebhookId,
    /// When.
    pub began: Instant,
    /// When it was over.
    pub ended: Instant,
    /// What it says about the webhook.
    pub judgement: Judgement,
}

/// Brings the states of webhooks up to date after attempts that nobody had claimed. Call it in
/// a write transaction of its own: locks are taken in no order with those of others.
///
/// # Errors
/// Those of the database.
pub fn take_note(
    connection: &mut AnyConnection,
    attempts: &[UnclaimedAttempt],
    policy: &LanePolicy,
) -> QueryResult<Vec<(LaneId, Happening)>> {
    let mut reports = Reports::new();
    for attempt in attempts {
        if attempt.judgement == Judgement::Silent {
            continue;
        }
        let of_lane = reports.entry(attempt.webhook.into()).or_default();
        of_lane.push(Report {
            began: attempt.began,
            ended: attempt.ended,
            judgement: attempt.judgement,
            probe: None,
        });
    }
    let all_webhooks = |_: &mut AnyConnection, lanes: Vec<LaneId>| Ok(lanes);
    conclude(connection, reports, policy, all_webhooks)
}

/// Brings the states of the lanes up to date. Lanes that do well, and did before, cost
/// one look for all of them.
pub(super) fn judge(
    connection: &mut AnyConnection,
    batch: &[Settlement],
    policy: &LanePolicy,
) -> QueryResult<Vec<(LaneId, Happening)>> {
    let of_webhooks = |connection: &mut AnyConnection, lanes: Vec<LaneId>| {
        webhooks_among(connection, batch, &lanes)
    };
    conclude(connection, reports(batch), policy, of_webhooks)
}

/// `of_webhooks` picks the lanes that webhooks have, or had, out of others.
fn conclude(
    connection: &mut AnyConnection,
    reports: Reports,
    policy: &LanePolicy,
    of_webhooks: impl FnOnce(&mut AnyConnection, Vec<LaneId>) -> QueryResult<Vec<LaneId>>,
) -> QueryResult<Vec<(LaneId, Happening)>> {
    let bad = |reports: &Vec<Report>| reports.iter().any(|r| r.judgement != Judgement::Good);
    let (troubled, fine): (Reports, Reports) =
        reports.into_iter().partition(|(_, reports)| bad(reports));
    let fine_lanes: Vec<LaneId> = fine.keys().copied().collect();
    let mut concerned = known_to_fail(connection, fine_lanes)?;
    concerned.extend(troubled.keys().copied());
    if concerned.is_empty() {
        return Ok(Vec::new());
    }
    concerned.sort_unstable();
    // Nobody would ever remove the state of a webhook that is gone.
    let strange = without_webhook(connection, &concerned)?;
    if !strange.is_empty() {
        let deleted = of_webhooks(connection, strange)?;
        concerned.retain(|lane| !deleted.contains(lane));
    }
    let mut happenings = Vec::new();
    for (lane, before) in lock(connection, &concerned)? {
        let of_lane = troubled.get(&lane).or_else(|| fine.get(&lane));
        let of_lane = of_lane.map(Vec::as_slice).unwrap_or_default();
        let Some(now) = of_lane.iter().map(|report| report.ended).max() else {
            continue;
        };
        let (after, happened) = before.clone().after(of_lane, policy.disable_after);
        write(connection, &before, &after, now)?;
        for happening in happened {
            if let Happening::Disabled(reason) = happening {
                tell(connection, lane, reason, &policy.mail, now)?;
            }
            happenings.push((lane, happening));
        }
    }
    Ok(happenings)
}

fn reports(batch: &[Settlement]) -> Reports {
    let mut reports = Reports::new();
    for settlement in batch {
        // Silence says nothing, unless somebody waits for the answer.
        if settlement.judgement == Judgement::Silent && settlement.probe.is_none() {
            continue;
        }
        let began = settlement.record.as_ref().map(|record| record.instant);
        reports.entry(settlement.lane).or_default().push(Report {
            began: began.unwrap_or(settlement.now),
            ended: settlement.now,
            judgement: settlement.judgement,
            probe: settlement.probe,
        });
    }
    reports
}

/// Which of these lanes a success makes a difference to.
fn known_to_fail(connection: &mut AnyConnection, lanes: Vec<LaneId>) -> QueryResult<Vec<LaneId>> {
    if lanes.is_empty() {
        return Ok(Vec::new());
    }
    let few = lanes.len();
    let failing = lane_states::table
        .filter(lane_states::lane.eq_any(lanes))
        .filter(lane_states::failures.gt(0).or(lane_states::throttles.gt(0)))
        .select(lane_states::lane);
    Listing::of(few, failing).load(connection)
}

/// Those of these lanes that no webhook has. The webhooks that exist stay until the end of
/// the transaction; one that somebody is deleting is not waited for, since whoever deletes it
/// may be waiting for what this transaction has written.
fn without_webhook(connection: &mut AnyConnection, lanes: &[LaneId]) -> QueryResult<Vec<LaneId>> {
    let ids: Vec<WebhookId> = lanes.iter().copied().map(WebhookId::from).collect();
    let existing = webhooks::table
        .filter(webhooks::id.eq_any(ids))
        .select(webhooks::id);
    let existing: Vec<WebhookId> = match connection {
        AnyConnection::Pg(connection) => existing.for_key_share().skip_locked().load(connection)?,
        AnyConnection::Sqlite(connection) => existing.load(connection)?,
    };
    let mut lanes = lanes.to_vec();
    lanes.retain(|lane| !existing.contains(&WebhookId::from(*lane)));
    Ok(lanes)
}

/// Those of these lanes by which the batch had webhooks' deliveries. The others are
/// tenants' mail.
fn webhooks_among(
    connection: &mut AnyConnection,
    batch: &[Settlement],
    lanes: &[LaneId],
) -> QueryResult<Vec<LaneId>> {
    let concerned = batch.iter().filter(|item| lanes.contains(&item.lane));
    let ids: Vec<DeliveryId> = concerned.map(|settlement| settlement.id).collect();
    let webhook = KindCode::from(Kind::Webhook);
    let mut found: Vec<LaneId> = outbox::table
        .filter(outbox::id.eq_any(ids.clone()))
        .filter(outbox::kind.eq(webhook))
        .select(outbox::lane)
        .load(connection)?;
    let settled: Vec<LaneId> = deliveries::table
        .filter(deliveries::id.eq_any(ids))
        .filter(deliveries::kind.eq(webhook))
        .select(deliveries::lane)
        .load(connection)?;
    found.extend(settled);
    Ok(found)
}

fn write(
    connection: &mut AnyConnection,
    before: &LaneState,
    after: &LaneState,
    now: Instant,
) -> QueryResult<()> {
    if after.is_plain(now) {
        LaneState::forget(connection, after.lane)
    } else if after != before {
        after.save(connection)
    } else {
        Ok(())
    }
}
