//! A user action definition.

use super::{Absent, Members, View};
use crate::model::user_action::UserAction;

/// The definition as the API returns it.
#[must_use]
pub fn user_action(definition: &UserAction, absent: Absent) -> View {
    Members::new(absent)
        .with("active", definition.active)
        .maybe("cancelEmailTemplateId", definition.cancel_email_template_id)
        .maybe("endEmailTemplateId", definition.end_email_template_id)
        .with("id", definition.id)
        .with(
            "includeEmailInEventJSON",
            definition.include_email_in_event_json,
        )
        .with("insertInstant", definition.insert_instant)
        .with("lastUpdateInstant", definition.last_update_instant)
        .maybe(
            "localizedNames",
            definition.localized_names.as_ref().map(|json| &json.0),
        )
        .maybe("modifyEmailTemplateId", definition.modify_email_template_id)
        .with("name", &definition.name)
        .with("options", &definition.options.0)
        .with("preventLogin", definition.prevent_login)
        .with("sendEndEvent", definition.send_end_event)
        .maybe("startEmailTemplateId", definition.start_email_template_id)
        .with("temporal", definition.temporal)
        .with("tenantIds", &definition.tenant_ids.0)
        .maybe("transactionType", definition.transaction_type)
        .with("userEmailingEnabled", definition.user_emailing_enabled)
        .with(
            "userNotificationsEnabled",
            definition.user_notifications_enabled,
        )
        .done()
}
