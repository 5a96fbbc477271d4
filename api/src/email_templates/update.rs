//! `PUT` and `PATCH /api/email/template/{emailTemplateId}`

use beadle_common::id::EmailTemplateId;
use beadle_common::model::email_template::EmailTemplate;
use serde_json::{Map, Value, json};

use super::texts::lint_request;
use super::{WRAPPER, input, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::{Body, read_wrapped};

pub(super) async fn update_email_template(mut call: Call) -> Answer {
    let id: EmailTemplateId = call.required_id()?;
    let body = call.body().await;
    let now = call.now();
    let merged = merged(&call, id, body.clone()).await?;
    let faults = lint_request(merged).await?;
    let template = call
        .state()
        .write(move |connection| {
            let stored =
                EmailTemplate::find_for_update(connection, id)?.ok_or(ApiError::NotFound)?;
            let members = body
                .clone()?
                .onto(|| json!({WRAPPER: view::email_template(&stored)}))?;
            let read = read_wrapped(&members, WRAPPER, |object| {
                input::read_email_template(connection, object, id, now, &faults)
            })?;
            let template = EmailTemplate {
                version: stored.version.saturating_add(1),
                insert_instant: stored.insert_instant,
                ..read
            };
            template.update(connection)?;
            Ok(template)
        })
        .await?;
    Ok(answer::wrapped(WRAPPER, view::email_template(&template)))
}

/// What the request makes of the template as it is now. A change that comes in between
/// has tried its own texts.
async fn merged(
    call: &Call,
    id: EmailTemplateId,
    body: Result<Body, ApiError>,
) -> Result<Map<String, Value>, ApiError> {
    let stored = call
        .state()
        .read(move |connection| Ok(EmailTemplate::find(connection, id)?))
        .await?;
    let stored = stored.ok_or(ApiError::NotFound)?;
    body?.onto(|| json!({WRAPPER: view::email_template(&stored)}))
}
