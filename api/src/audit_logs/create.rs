//! `POST /api/system/audit-log`

use beadle_common::db::JsonText;
use beadle_common::model::audit_log::NewAuditLog;

use super::{WRAPPER, view};
use crate::answer::{Answer, Reply};
use crate::extract::Call;
use crate::input::read_wrapped;

/// Longest name of whoever did something; often an email address.
const LONGEST_USER: usize = 255;
/// Longest message or reason.
const LONGEST_TEXT: usize = 65_535;

pub(super) async fn create_audit_log(mut call: Call) -> Answer {
    let members = call.body().await?.into_members()?;
    let entry = read_wrapped(&members, WRAPPER, |object| {
        let value = |member| object.value(member).map(JsonText::of);
        Ok(NewAuditLog {
            tenant_id: call.scope(),
            insert_user: object.required_text("insertUser", LONGEST_USER),
            message: object.required_text("message", LONGEST_TEXT),
            reason: object.short_text("reason", LONGEST_TEXT),
            old_value: value("oldValue"),
            new_value: value("newValue"),
            data: object.data_text("data"),
            insert_instant: call.now(),
            erased_with: None,
        })
    })?;
    call.commit(move |connection| {
        let entry = entry.insert(connection)?;
        Ok(Reply::wrapped(WRAPPER, view(&entry)))
    })
    .await
}
