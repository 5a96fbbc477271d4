//! `POST /api/email/template[/{emailTemplateId}]`

use beadle_common::id::EmailTemplateId;
use beadle_common::model::email_template::EmailTemplate;

use super::texts::lint_request;
use super::{ENDPOINT, WRAPPER, input, view};
use crate::answer::{Answer, Reply};
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn create_email_template(mut call: Call) -> Answer {
    let given: Option<EmailTemplateId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let faults = lint_request(members.clone()).await?;
    let (id, now) = (given.unwrap_or_else(EmailTemplateId::random), call.now());
    call.commit(move |connection| {
        let template = read_wrapped(&members, WRAPPER, |object| {
            if given.is_some() && EmailTemplate::exists(connection, id)? {
                object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
            }
            input::read_email_template(connection, object, id, now, &faults)
        })?;
        template.insert(connection)?;
        Ok(Reply::wrapped(WRAPPER, view::email_template(&template)))
    })
    .await
}
