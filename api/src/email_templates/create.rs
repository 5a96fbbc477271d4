//! `POST /api/email/template[/{emailTemplateId}]`

use beadle_common::id::EmailTemplateId;
use beadle_common::model::email_template::EmailTemplate;

use super::{ENDPOINT, WRAPPER, input, view};
use crate::answer::{self, Answer};
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn create_email_template(mut call: Call) -> Answer {
    let given: Option<EmailTemplateId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let (id, now) = (given.unwrap_or_else(EmailTemplateId::random), call.now());
    let template = call
        .state()
        .write(move |connection| {
            let template = read_wrapped(&members, WRAPPER, |object| {
                if given.is_some() && EmailTemplate::exists(connection, id)? {
                    object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
                }
                input::read_email_template(connection, object, id, now)
            })?;
            template.insert(connection)?;
            Ok(template)
        })
        .await?;
    Ok(answer::wrapped(WRAPPER, view::email_template(&template)))
}
