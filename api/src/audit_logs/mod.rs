//! The audit log, who changed what: `/api/system/audit-log`. Clients write there, and so do the
//! operations on the configuration; what was done to users is told by the action logs.

mod create;
mod description;
mod retrieve;
mod search;

#[cfg(test)]
mod configuration_tests;
#[cfg(test)]
mod tests;

use beadle_common::model::audit_log::AuditLog;
use beadle_common::view::{Absent, Members, View};

use crate::description::{Kind, Section};
use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "auditLog";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/system/audit-log",
    access: Access::Global,
    id: "auditLogId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/system/audit-log/search",
    access: Access::Global,
    id: "",
};

pub(crate) fn routes() -> Section {
    Section::new("Audit log", "Who did what, as other programs tell it.")
        .with(
            SEARCH
                .routes()
                .get(search::search_audit_logs, description::SEARCH_ENTRIES)
                .post(search::search_audit_logs, description::SEARCH_ENTRIES),
        )
        .with(
            ENDPOINT
                .routes()
                .path_kind(ENDPOINT.id, Kind::Integer(1, i64::MAX))
                .post(create::create_audit_log, description::CREATE)
                .get(retrieve::retrieve_audit_log, description::RETRIEVE),
        )
}

fn view(entry: &AuditLog) -> View {
    Members::new(Absent::Omit)
        .with("data", &entry.data)
        .with("id", entry.id)
        .with("insertInstant", entry.insert_instant)
        .with("insertUser", &entry.insert_user)
        .with("message", &entry.message)
        .maybe("newValue", entry.new_value.as_ref())
        .maybe("oldValue", entry.old_value.as_ref())
        .maybe("reason", entry.reason.as_ref())
        .maybe("tenantId", entry.tenant_id)
        .done()
}
