//! `PUT` and `PATCH /api/email/template/{emailTemplateId}`

use beadle_common::id::EmailTemplateId;
use beadle_common::model::email_template::EmailTemplate;
use serde_json::json;

use super::texts::lint_request;
use super::{WRAPPER, input, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn update_email_template(mut call: Call) -> Answer {
    let id: EmailTemplateId = call.required_id()?;
    let body = call.body().await;
    let now = call.now();
    let template = call
        .update_prepared(
            body,
            move |connection| {
                EmailTemplate::find_for_update(connection, id)?.ok_or(ApiError::NotFound)
            },
            |stored| Ok(json!({WRAPPER: view::email_template(stored)})),
            async |members| lint_request(members.clone()).await,
            move |connection, stored, members, faults| {
                let read = read_wrapped(members, WRAPPER, |object| {
                    input::read_email_template(connection, object, id, now, faults)
                })?;
                let template = EmailTemplate {
                    version: stored.version.saturating_add(1),
                    insert_instant: stored.insert_instant,
                    ..read
                };
                template.update(connection)?;
                Ok(template)
            },
        )
        .await?;
    Ok(answer::wrapped(WRAPPER, view::email_template(&template)))
}
