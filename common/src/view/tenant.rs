//! A tenant.

use super::{Absent, Members, View};
use crate::model::tenant::Tenant;

/// The tenant as the API returns it: never with the SMTP password.
#[must_use]
pub fn tenant(tenant: &Tenant, absent: Absent) -> View {
    Members::from_map(&tenant.settings.0, absent)
        .with("configured", true)
        .with("data", &tenant.data)
        .with("emailConfiguration", &tenant.email_configuration.0)
        .with("eventConfiguration", &tenant.event_configuration.0)
        .with("id", tenant.id)
        .with("insertInstant", tenant.insert_instant)
        .with("lastUpdateInstant", tenant.last_update_instant)
        .with("name", &tenant.name)
        .with("state", "Active")
        .done()
}
