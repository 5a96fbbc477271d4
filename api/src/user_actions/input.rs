//! What a client may say of a definition, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::{EmailTemplateId, UserActionId};
use beadle_common::model::email_template::EmailTemplate;
use beadle_common::model::normalize;
use beadle_common::model::user_action::{ActionOption, UserAction};
use beadle_common::unix_millis::UnixMillis;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};
use crate::tenants::read_tenant_ids;

/// A definition as the request describes it, active and new. Problems are reported to the
/// object's collector.
pub(super) fn read_user_action(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    id: UserActionId,
    now: UnixMillis,
) -> Result<UserAction, ApiError> {
    let name = object.required_text("name", LONGEST_NAME);
    if UserAction::by_name(connection, &name)?.is_some_and(|other| other != id) {
        object.refuse(Prefix::Duplicate, "name");
    }
    let temporal = object.flag("temporal", false);
    let prevent_login = object.flag("preventLogin", false);
    if prevent_login && !temporal {
        object.errors().refuse_because(
            Prefix::Invalid,
            &object.path("preventLogin"),
            "only an action with an end can prevent login, set `temporal` too",
        );
    }
    Ok(UserAction {
        id,
        name_normalized: normalize(&name),
        name,
        active: true,
        temporal,
        prevent_login,
        send_end_event: object.flag("sendEndEvent", true),
        include_email_in_event_json: object.flag("includeEmailInEventJSON", false),
        user_emailing_enabled: object.flag("userEmailingEnabled", false),
        user_notifications_enabled: object.flag("userNotificationsEnabled", false),
        start_email_template_id: read_template(connection, object, "startEmailTemplateId")?,
        modify_email_template_id: read_template(connection, object, "modifyEmailTemplateId")?,
        cancel_email_template_id: read_template(connection, object, "cancelEmailTemplateId")?,
        end_email_template_id: read_template(connection, object, "endEmailTemplateId")?,
        localized_names: object
            .short_localized("localizedNames", LONGEST_NAME)
            .map(Json),
        options: Json(read_options(object)),
        tenant_ids: Json(read_tenant_ids(connection, object)?),
        transaction_type: object.choice("transactionType"),
        insert_instant: now,
        last_update_instant: now,
    })
}

fn read_template(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    member: &str,
) -> Result<Option<EmailTemplateId>, ApiError> {
    let id = object.id(member);
    if let Some(id) = id
        && !EmailTemplate::exists(connection, id)?
    {
        object.refuse(Prefix::Invalid, member);
    }
    Ok(id)
}

/// The options in the order given. Their names are what actions are taken with, so no two
/// are the same.
fn read_options(object: &Object<'_>) -> Vec<ActionOption> {
    let mut options: Vec<ActionOption> = Vec::new();
    for option in object.objects("options") {
        let name = option.required_text("name", LONGEST_NAME);
        if !name.is_empty() && options.iter().any(|other| other.name == name) {
            option.refuse(Prefix::Duplicate, "name");
        }
        let localized_names = option.short_localized("localizedNames", LONGEST_NAME);
        options.push(ActionOption {
            name,
            localized_names,
        });
    }
    options
}
