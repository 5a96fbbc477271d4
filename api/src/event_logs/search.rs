//! `GET` and `POST /api/system/event-log/search`

use beadle_common::model::event_log::{EventLog, EventLogCriteria};
use serde_json::{Value, json};

use super::view;
use crate::answer::{self, Answer};
use crate::extract::Call;
use crate::search::{Criteria, Order, Page, text_criterion};

pub(super) const FIELDS: [&str; 4] = ["id", "insertInstant", "message", "type"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

pub(super) async fn search_event_logs(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (wanted, order, page) = criteria.read(|criteria| {
        let wanted = EventLogCriteria {
            message: text_criterion(criteria, "message"),
            event_type: criteria.choice("type"),
            start: criteria.instant("start"),
            end: criteria.instant("end"),
        };
        let order = Order::read(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((wanted, order, Page::read(criteria)))
    })?;
    let (total, entries) = call
        .state()
        .read(move |connection| {
            let sorts = order.sorts();
            Ok(EventLog::search(
                connection,
                &wanted,
                &sorts,
                page.window(),
            )?)
        })
        .await?;
    let entries: Value = entries.iter().map(view).collect();
    Ok(answer::json(&json!({"eventLogs": entries, "total": total})))
}
