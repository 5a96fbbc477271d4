//! `GET` and `POST /api/system/event-log/search`

use beadle_common::db::AnyConnection;
use beadle_common::model::event_log::{EventLog, EventLogCriteria};
use beadle_common::view::View;

use super::view;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};
use crate::search::{Criteria, read_order, read_window, text_criterion};

pub(super) const FIELDS: [&str; 4] = ["id", "insertInstant", "message", "type"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

pub(super) async fn search_event_logs(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (wanted, sorts, window) = criteria.read(|criteria| {
        let wanted = EventLogCriteria {
            message: text_criterion(criteria, "message"),
            event_type: criteria.choice("type"),
            start: criteria.instant("start"),
            end: criteria.instant("end"),
        };
        let sorts = read_order(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((wanted, sorts, read_window(criteria)))
    })?;
    listing::answer(&call, "eventLogs", Entries, move |connection| {
        Ok(EventLog::search(connection, &wanted, &sorts, window)?)
    })
    .await
}

#[derive(Clone)]
struct Entries;

impl Rows for Entries {
    type Id = i64;
    type Row = EventLog;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[i64],
    ) -> Result<Vec<(i64, EventLog)>, ApiError> {
        let entries = EventLog::load(connection, ids)?;
        Ok(entries.into_iter().map(|entry| (entry.id, entry)).collect())
    }

    fn show(&self, entry: &EventLog) -> Result<View, ApiError> {
        Ok(view(entry))
    }
}
