//! `GET /api/email/template[/{emailTemplateId}]`

use beadle_common::db::AnyConnection;
use beadle_common::id::EmailTemplateId;
use beadle_common::model::email_template::EmailTemplate;
use beadle_common::model::listing::TemplateSearch;
use beadle_common::model::search::Window;
use beadle_common::view::View;

use super::{WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};

pub(super) async fn retrieve_email_templates(call: Call) -> Answer {
    let id: Option<EmailTemplateId> = call.id()?;
    let Some(id) = id else {
        let search = TemplateSearch::default();
        let find = move |connection: &mut AnyConnection| {
            Ok(EmailTemplate::search(connection, &search, &[], Window::ALL)?.ids)
        };
        return listing::answer(&call, "emailTemplates", Templates, find).await;
    };
    let template = call
        .state()
        .read(move |connection| Ok(EmailTemplate::find(connection, id)?))
        .await?;
    let template = template.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(WRAPPER, view::email_template(&template)))
}

/// Email templates.
#[derive(Clone)]
pub(super) struct Templates;

impl Rows for Templates {
    type Id = EmailTemplateId;
    type Row = EmailTemplate;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[EmailTemplateId],
    ) -> Result<Vec<(EmailTemplateId, EmailTemplate)>, ApiError> {
        let rows = EmailTemplate::load(connection, ids)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn show(&self, row: &EmailTemplate) -> Result<View, ApiError> {
        Ok(view::email_template(row))
    }
}
