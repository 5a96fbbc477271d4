//! What a client may say of an email template, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::EmailTemplateId;
use beadle_common::instant::Instant;
use beadle_common::locale::LocalizedText;
use beadle_common::model::email_template::EmailTemplate;
use beadle_common::model::fold;
use beadle_common::render::check_syntax;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};

/// Most bytes of one template text.
const LONGEST_TEMPLATE: usize = 65_535;

/// A template as the request describes it, in its first version. Problems are reported
/// to the object's collector.
pub(super) fn read_email_template(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    id: EmailTemplateId,
    now: Instant,
) -> Result<EmailTemplate, ApiError> {
    let name = object.required_text("name", LONGEST_NAME);
    if EmailTemplate::by_name(connection, &name)?.is_some_and(|other| other != id) {
        object.refuse(Prefix::Duplicate, "name");
    }
    Ok(EmailTemplate {
        id,
        name_key: fold(&name),
        name,
        from_email: object.email("fromEmail"),
        default_from_name: read_text(object, "defaultFromName"),
        default_subject: read_required_text(object, "defaultSubject"),
        default_html_template: read_required_text(object, "defaultHtmlTemplate"),
        default_text_template: read_required_text(object, "defaultTextTemplate"),
        localized_from_names: read_localized(object, "localizedFromNames"),
        localized_html_templates: read_localized(object, "localizedHtmlTemplates"),
        localized_subjects: read_localized(object, "localizedSubjects"),
        localized_text_templates: read_localized(object, "localizedTextTemplates"),
        version: 1,
        insert_instant: now,
        last_update_instant: now,
    })
}

fn read_required_text(object: &Object<'_>, member: &str) -> String {
    let text = read_text(object, member);
    if text.is_none() && object.errors().accepts(&object.path(member)) {
        object.refuse(Prefix::Blank, member);
    }
    text.unwrap_or_default()
}

fn read_text(object: &Object<'_>, member: &str) -> Option<String> {
    let text = object.long_text(member, LONGEST_TEMPLATE)?;
    if let Err(fault) = check_syntax(&text) {
        let path = object.path(member);
        object
            .errors()
            .refuse_because(Prefix::Invalid, &path, fault.to_string());
    }
    Some(text)
}

fn read_localized(object: &Object<'_>, member: &str) -> Json<LocalizedText> {
    let texts = object.localized(member).unwrap_or_default();
    let path = object.path(member);
    for (locale, text) in &texts {
        if text.len() > LONGEST_TEMPLATE {
            object.refuse(Prefix::TooLong, member);
        } else if let Err(fault) = check_syntax(text) {
            object
                .errors()
                .refuse_because(Prefix::Invalid, &path, format!("{locale}: {fault}"));
        }
    }
    Json(texts)
}
