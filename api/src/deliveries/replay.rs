//! `POST /api/delivery/replay`

use beadle_common::outbox::{DeliveryState, Replay};
use serde_json::json;

use super::search::kind;
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::{Object, read_wrapped};

/// What was given up. What was canceled has nobody to go to, as a rule.
const DEFAULT_STATES: [DeliveryState; 1] = [DeliveryState::Exhausted];

/// What a client asks for.
struct Asked {
    replay: Replay,
    dry_run: bool,
}

/// Batch by batch, so that what the request does before it is cut off stays done; the same
/// request again does the rest.
pub(super) async fn replay_deliveries(mut call: Call) -> Answer {
    let members = call.body().await?.into_members()?;
    let (state, now) = (call.state(), call.now());
    let Asked { replay, dry_run } = read_wrapped(&members, "replay", |object| Ok(read(object)))?;
    let mut total = 0;
    if dry_run {
        let counted = replay.clone();
        total = state
            .read(move |connection| Ok(counted.count(connection)?))
            .await?;
    } else {
        let mut after = None;
        loop {
            let replay = replay.clone();
            let batch = state
                .write(move |connection| Ok(replay.batch(connection, after, now)?))
                .await?;
            total += i64::try_from(batch.moved).map_err(ApiError::internal)?;
            if batch.moved > 0 {
                state.wake.wake();
            }
            match batch.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    call.commit(move |_| Ok(Reply::json(&json!({"total": total}))))
        .await
}

fn read(object: &Object<'_>) -> Asked {
    let mut states = Vec::new();
    for listed in object.texts("states") {
        match listed.value.parse::<DeliveryState>() {
            Ok(state) => states.push(state),
            Err(_) => object.errors().refuse_because(
                Prefix::Invalid,
                &listed.path,
                "only what is decided can be replayed: Delivered, Exhausted or Canceled",
            ),
        }
    }
    if states.is_empty() {
        states.extend(DEFAULT_STATES);
    }
    Asked {
        replay: Replay {
            webhook: object.id("webhookId"),
            kind: kind(object),
            states,
            start: object.instant("start"),
            end: object.instant("end"),
        },
        dry_run: object.flag("dryRun", false),
    }
}
