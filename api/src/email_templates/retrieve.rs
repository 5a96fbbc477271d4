//! `GET /api/email/template[/{emailTemplateId}]`

use beadle_common::id::EmailTemplateId;
use beadle_common::model::email_template::EmailTemplate;
use serde_json::Value;

use super::{WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_email_templates(call: Call) -> Answer {
    let id: Option<EmailTemplateId> = call.id()?;
    let Some(id) = id else {
        let mut templates = call
            .state()
            .read(|connection| Ok(EmailTemplate::all(connection)?))
            .await?;
        templates.sort_by(|a, b| (&a.name_key, a.id).cmp(&(&b.name_key, b.id)));
        let list: Value = templates.iter().map(view::email_template).collect();
        return Ok(answer::wrapped("emailTemplates", list));
    };
    let template = call
        .state()
        .read(move |connection| Ok(EmailTemplate::find(connection, id)?))
        .await?;
    let template = template.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(WRAPPER, view::email_template(&template)))
}
