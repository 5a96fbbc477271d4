//! `GET` and `POST /api/system/webhook-event-log/search`

use beadle_common::db::AnyConnection;
use beadle_common::deliveries::webhook_log::{EventResult, WebhookEventCriteria, WebhookEventLog};
use beadle_common::id::EventId;
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::View;

use super::view;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::Object;
use crate::listing::{self, Rows};
use crate::search::{Criteria, read_order, read_window, text_criterion};
use beadle_common::resources::event_types::kind_of;

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
    let (wanted, sorts, window) = criteria.read(|criteria| {
        let wanted = read(criteria, now);
        let sorts = read_order(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((wanted, sorts, read_window(criteria)))
    })?;
    listing::answer(&call, "webhookEventLogs", Events, move |connection| {
        Ok(WebhookEventLog::search(
            connection, &wanted, &sorts, window,
        )?)
    })
    .await
}

#[derive(Clone)]
struct Events;

impl Rows for Events {
    type Id = (EventId, EventResult);
    type Row = WebhookEventLog;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[Self::Id],
    ) -> Result<Vec<(Self::Id, WebhookEventLog)>, ApiError> {
        let logs = WebhookEventLog::load(connection, ids)?.into_iter();
        Ok(logs.map(|log| ((log.event.id, log.result), log)).collect())
    }

    fn show(&self, log: &WebhookEventLog) -> Result<View, ApiError> {
        view::event(log)
    }
}

/// Without a range, the last hour in whole minutes.
fn read(criteria: &Object<'_>, now: UnixMillis) -> WebhookEventCriteria {
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
fn minute(millis: i64) -> UnixMillis {
    UnixMillis::from_millis(millis.saturating_sub(millis.rem_euclid(MINUTE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_at_its_beginning() {
        for (millis, expected) in [(0, 0), (59_999, 0), (60_000, 60_000), (-1, -60_000)] {
            assert_eq!(minute(millis), UnixMillis::from_millis(expected));
        }
    }
}
