//! The audit log, who changed what: `/api/system/audit-log`. Beadle itself writes nothing
//! there: what was done to users is told by the action logs.

mod create;
mod retrieve;
mod search;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};
use beadle_common::model::audit_log::AuditLog;
use beadle_common::view::{Absent, Members};
use serde_json::Value;

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

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_audit_logs))
            .route(web::post().to(search::search_audit_logs)),
    );
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_audit_log))
            .route(web::get().to(retrieve::retrieve_audit_log)),
    );
}

fn view(entry: &AuditLog) -> Value {
    Members::new(Absent::Omit)
        .with("data", &entry.data.0)
        .with("id", entry.id)
        .with("insertInstant", entry.insert_instant)
        .with("insertUser", &entry.insert_user)
        .with("message", &entry.message)
        .maybe("newValue", entry.new_value.as_ref().map(|json| &json.0))
        .maybe("oldValue", entry.old_value.as_ref().map(|json| &json.0))
        .maybe("reason", entry.reason.as_ref())
        .maybe("tenantId", entry.tenant_id)
        .done()
}
