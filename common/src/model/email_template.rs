//! Email templates.

use diesel::prelude::*;

use super::{crud, unique};
use crate::db::{AnyConnection, Json};
use crate::id::EmailTemplateId;
use crate::locale::LocalizedText;
use crate::schema::{email_templates, user_actions};
use crate::unix_millis::UnixMillis;

/// An email template.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = email_templates, treat_none_as_null = true)]
pub struct EmailTemplate {
    /// Primary key.
    pub id: EmailTemplateId,
    /// Unique ignoring case.
    pub name: String,
    /// `name`, folded.
    pub name_normalized: String,
    /// Sender; none: the tenant's.
    pub from_email: Option<String>,
    /// Sender's name; none: the tenant's.
    pub default_from_name: Option<String>,
    /// Subject.
    pub default_subject: String,
    /// HTML part.
    pub default_html_template: String,
    /// Text part.
    pub default_text_template: String,
    /// Sender's name by locale.
    pub localized_from_names: Json<LocalizedText>,
    /// HTML part by locale.
    pub localized_html_templates: Json<LocalizedText>,
    /// Subject by locale.
    pub localized_subjects: Json<LocalizedText>,
    /// Text part by locale.
    pub localized_text_templates: Json<LocalizedText>,
    /// Counts the changes, from 1.
    pub version: i32,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

crud!(EmailTemplate, email_templates, EmailTemplateId);
unique!(
    EmailTemplate,
    email_templates,
    EmailTemplateId,
    /// Whose name this is, ignoring case.
    by_name: name_normalized
);

impl EmailTemplate {
    /// Whether a definition uses it.
    pub fn in_use(connection: &mut AnyConnection, id: EmailTemplateId) -> QueryResult<bool> {
        use user_actions::dsl;
        diesel::select(diesel::dsl::exists(
            dsl::user_actions.filter(
                dsl::start_email_template_id
                    .eq(id)
                    .or(dsl::modify_email_template_id.eq(id))
                    .or(dsl::cancel_email_template_id.eq(id))
                    .or(dsl::end_email_template_id.eq(id)),
            ),
        ))
        .get_result(connection)
    }
}
