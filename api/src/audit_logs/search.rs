//! `GET` and `POST /api/system/audit-log/search`

use beadle_common::model::audit_log::{AuditLog, AuditLogCriteria};
use serde_json::{Value, json};

use super::view;
use crate::answer::{self, Answer};
use crate::extract::Call;
use crate::search::{Criteria, Order, Page, text_criterion};

pub(super) const FIELDS: [&str; 3] = ["insertInstant", "insertUser", "message"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

pub(super) async fn search_audit_logs(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (wanted, order, page) = criteria.read(|criteria| {
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
        let order = Order::read(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((wanted, order, Page::read(criteria)))
    })?;
    let (total, entries) = call
        .state()
        .read(move |connection| {
            let sorts = order.sorts();
            Ok(AuditLog::search(
                connection,
                &wanted,
                &sorts,
                page.window(),
            )?)
        })
        .await?;
    let entries: Value = entries.iter().map(view).collect();
    Ok(answer::json(&json!({"auditLogs": entries, "total": total})))
}
