//! What a client may say of an email template, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::EmailTemplateId;
use beadle_common::model::email_template::EmailTemplate;
use beadle_common::model::normalize;
use beadle_common::unix_millis::UnixMillis;

use super::texts::{Fault, check_size, read_texts};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};

/// A template as the request describes it, in its first version. Problems are reported
/// to the object's collector, `faults` of its texts among them.
pub(super) fn read_email_template(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    id: EmailTemplateId,
    now: UnixMillis,
    faults: &[Fault],
) -> Result<EmailTemplate, ApiError> {
    let name = object.required_text("name", LONGEST_NAME);
    if EmailTemplate::by_name(connection, &name)?.is_some_and(|other| other != id) {
        object.refuse(Prefix::Duplicate, "name");
    }
    let texts = read_texts(object);
    check_size(object, &texts);
    for (member, text) in [
        ("defaultSubject", &texts.subject.default),
        ("defaultHtmlTemplate", &texts.html.default),
        ("defaultTextTemplate", &texts.text.default),
    ] {
        if text.is_empty() && object.errors().accepts(&object.path(member)) {
            object.refuse(Prefix::Blank, member);
        }
    }
    for fault in faults {
        object
            .errors()
            .refuse_because(Prefix::Invalid, &fault.path, &fault.message);
    }
    Ok(EmailTemplate {
        id,
        name_normalized: normalize(&name),
        name,
        from_email: object.email("fromEmail"),
        default_from_name: texts.from_name.default,
        default_subject: texts.subject.default,
        default_html_template: texts.html.default,
        default_text_template: texts.text.default,
        localized_from_names: Json(texts.from_name.localized),
        localized_html_templates: Json(texts.html.localized),
        localized_subjects: Json(texts.subject.localized),
        localized_text_templates: Json(texts.text.localized),
        version: 1,
        insert_instant: now,
        last_update_instant: now,
    })
}
