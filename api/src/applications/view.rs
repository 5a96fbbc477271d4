//! An application as the API returns it.

use beadle_common::model::application::Application;
use beadle_common::view::{Absent, Members};
use serde_json::Value;

pub(super) fn application(application: &Application) -> Value {
    let state = if application.active {
        "Active"
    } else {
        "Inactive"
    };
    Members::from_map(&application.settings.0, Absent::Omit)
        .with("active", application.active)
        .with("data", &application.data.0)
        .with("id", application.id)
        .with("insertInstant", application.insert_instant)
        .with("lastUpdateInstant", application.last_update_instant)
        .with("name", &application.name)
        .with("state", state)
        .with("tenantId", application.tenant_id)
        .done()
}
