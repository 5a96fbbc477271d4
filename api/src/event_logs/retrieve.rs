//! `GET /api/system/event-log/{eventLogId}`

use beadle_common::model::event_log::EventLog;

use super::{ENDPOINT, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_event_log(call: Call) -> Answer {
    let id = call.required_number(ENDPOINT.id)?;
    let entry = call
        .state()
        .read(move |connection| Ok(EventLog::find(connection, id)?))
        .await?;
    let entry = entry.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped("eventLog", view(&entry)))
}
