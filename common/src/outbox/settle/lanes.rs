//! What a batch of settlements says about the lanes.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{LanePolicy, Settlement};
use crate::db::AnyConnection;
use crate::id::LaneId;
use crate::instant::Instant;
use crate::outbox::health::{Happening, Judgement, LaneState, Report, lock, tell};
use crate::schema::lane_states;

type Reports = BTreeMap<LaneId, Vec<Report>>;

/// Brings the states of the lanes up to date. Lanes that do well, and did before, cost
/// one look for all of them.
pub(super) fn judge(
    connection: &mut AnyConnection,
    batch: &[Settlement],
    policy: &LanePolicy,
) -> QueryResult<Vec<(LaneId, Happening)>> {
    let mut reports = reports(batch);
    let bad = |reports: &Vec<Report>| reports.iter().any(|r| r.judgement != Judgement::Good);
    let (troubled, fine): (Reports, Reports) = std::mem::take(&mut reports)
        .into_iter()
        .partition(|(_, reports)| bad(reports));
    let fine_lanes: Vec<LaneId> = fine.keys().copied().collect();
    let mut concerned = known_to_fail(connection, fine_lanes)?;
    concerned.extend(troubled.keys().copied());
    if concerned.is_empty() {
        return Ok(Vec::new());
    }
    concerned.sort_unstable();
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
    lane_states::table
        .filter(lane_states::lane.eq_any(lanes))
        .filter(lane_states::failures.gt(0).or(lane_states::throttles.gt(0)))
        .select(lane_states::lane)
        .load(connection)
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
