//! `GET` and `POST /api/system/webhook-event-log/search`

use beadle_common::instant::Instant;
use beadle_common::model::webhook_log::{WebhookEventCriteria, WebhookEventLog};
use serde_json::{Value, json};

use super::view;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::event_types::kind_of;
use crate::extract::Call;
use crate::input::Object;
use crate::search::{Criteria, Order, Page, text_criterion};

pub(super) const FIELDS: [&str; 7] = [
    "eventResult",
    "eventType",
    "id",
    "insertInstant",
    "lastAttemptInstant",
    "linkedObjectId",
    "sequence",
];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

pub(super) async fn search_webhook_event_logs(mut call: Call) -> Answer {
    let now = call.now();
    let criteria = Criteria::of(&mut call).await?;
    let (wanted, order, page) = criteria.read(|criteria| {
        let wanted = read(criteria, now);
        let order = Order::read(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((wanted, order, Page::read(criteria)))
    })?;
    let (total, logs) = call
        .state()
        .read(move |connection| {
            let sorts = order.sorts();
            Ok(WebhookEventLog::search(
                connection,
                &wanted,
                &sorts,
                page.window(),
            )?)
        })
        .await?;
    let logs = logs
        .iter()
        .map(view::event)
        .collect::<Result<Value, ApiError>>()?;
    Ok(answer::json(
        &json!({"total": total, "webhookEventLogs": logs}),
    ))
}

/// Without a range, the last hour in whole minutes.
fn read(criteria: &Object<'_>, now: Instant) -> WebhookEventCriteria {
    let event_type = text_criterion(criteria, "eventType");
    if event_type
        .as_deref()
        .is_some_and(|name| kind_of(name).is_none())
    {
        criteria.refuse(Prefix::InvalidJson, "eventType");
    }
    WebhookEventCriteria {
        event: text_criterion(criteria, "event"),
        result: criteria.choice("eventResult"),
        event_type,
        start: criteria
            .instant("start")
            .unwrap_or_else(|| minute(now.millis().saturating_sub(HOUR))),
        end: criteria
            .instant("end")
            .unwrap_or_else(|| minute(now.millis().saturating_add(MINUTE - 1))),
    }
}

/// The beginning of the minute.
fn minute(millis: i64) -> Instant {
    Instant::from_millis(millis.saturating_sub(millis.rem_euclid(MINUTE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_at_its_beginning() {
        for (millis, expected) in [(0, 0), (59_999, 0), (60_000, 60_000), (-1, -60_000)] {
            assert_eq!(minute(millis), Instant::from_millis(expected));
        }
    }
}
