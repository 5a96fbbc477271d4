//! `GET` and `POST /api/system/audit-log/search`

use beadle_common::db::AnyConnection;
use beadle_common::model::audit_log::{AuditLog, AuditLogCriteria};
use beadle_common::view::View;

use super::view;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};
use crate::search::{Criteria, read_order, read_window, text_criterion};

pub(super) const FIELDS: [&str; 3] = ["insertInstant", "insertUser", "message"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

pub(super) async fn search_audit_logs(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (wanted, sorts, window) = criteria.read(|criteria| {
        let wanted = AuditLogCriteria {
            message: text_criterion(criteria, "message"),
            user: text_criterion(criteria, "user"),
            old_value: text_criterion(criteria, "oldValue"),
            new_value: text_criterion(criteria, "newValue"),
            reason: text_criterion(criteria, "reason"),
            tenant: criteria.id("tenantId"),
            start: criteria.instant("start"),
            end: criteria.instant("end"),
        };
        let sorts = read_order(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((wanted, sorts, read_window(criteria)))
    })?;
    listing::answer(&call, "auditLogs", Entries, move |connection| {
        Ok(AuditLog::search(connection, &wanted, &sorts, window)?)
    })
    .await
}

#[derive(Clone)]
struct Entries;

impl Rows for Entries {
    type Id = i64;
    type Row = AuditLog;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[i64],
    ) -> Result<Vec<(i64, AuditLog)>, ApiError> {
        let entries = AuditLog::load(connection, ids)?;
        Ok(entries.into_iter().map(|entry| (entry.id, entry)).collect())
    }

    fn show(&self, entry: &AuditLog) -> Result<View, ApiError> {
        Ok(view(entry))
    }
}
