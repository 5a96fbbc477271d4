//! `GET /api/system/audit-log/{auditLogId}`

use beadle_common::model::audit_log::AuditLog;

use super::{ENDPOINT, WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_audit_log(call: Call) -> Answer {
    let id = call.required_number(ENDPOINT.id)?;
    let entry = call
        .state()
        .read(move |connection| Ok(AuditLog::find(connection, id)?))
        .await?;
    let entry = entry.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(WRAPPER, view(&entry)))
}
