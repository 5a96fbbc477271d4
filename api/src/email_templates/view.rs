//! An email template as the API returns it.

use beadle_common::model::email_template::EmailTemplate;
use beadle_common::view::{Absent, Members, View};

pub(super) fn email_template(template: &EmailTemplate) -> View {
    Members::new(Absent::Omit)
        .maybe("defaultFromName", template.default_from_name.as_ref())
        .with("defaultHtmlTemplate", &template.default_html_template)
        .with("defaultSubject", &template.default_subject)
        .with("defaultTextTemplate", &template.default_text_template)
        .maybe("fromEmail", template.from_email.as_ref())
        .with("id", template.id)
        .with("insertInstant", template.insert_instant)
        .with("lastUpdateInstant", template.last_update_instant)
        .with("localizedFromNames", &template.localized_from_names.0)
        .with(
            "localizedHtmlTemplates",
            &template.localized_html_templates.0,
        )
        .with("localizedSubjects", &template.localized_subjects.0)
        .with(
            "localizedTextTemplates",
            &template.localized_text_templates.0,
        )
        .with("name", &template.name)
        .done()
}
