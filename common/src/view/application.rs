//! An application.

use super::{Absent, Members, View};
use crate::model::application::Application;

/// The application as the API returns it.
#[must_use]
pub fn application(application: &Application, absent: Absent) -> View {
    Members::from_map(&application.settings.0, absent)
        .with("active", application.active)
        .with("data", &application.data)
        .with("id", application.id)
        .with("insertInstant", application.insert_instant)
        .with("lastUpdateInstant", application.last_update_instant)
        .with("name", &application.name)
        .with(
            "state",
            if application.active {
                "Active"
            } else {
                "Inactive"
            },
        )
        .with("tenantId", application.tenant_id)
        .done()
}
