//! `DELETE /api/email/template/{emailTemplateId}`

use beadle_common::db::{AnyConnection, QueryResult};
use beadle_common::id::EmailTemplateId;
use beadle_common::model::email_template::EmailTemplate;
use beadle_common::model::tenant::Tenant;

use super::ENDPOINT;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;

/// Refused while a definition or a tenant uses the template. Mails that are waiting have
/// been rendered, and are not affected.
pub(super) async fn delete_email_template(call: Call) -> Answer {
    let id: EmailTemplateId = call.required_id()?;
    call.state()
        .write(move |connection| {
            if EmailTemplate::find_for_delete(connection, id)?.is_none() {
                return Err(ApiError::NotFound);
            }
            if EmailTemplate::in_use(connection, id)? || tenant_uses(connection, id)? {
                return Err(ApiError::field(Prefix::InUse, ENDPOINT.id));
            }
            EmailTemplate::delete(connection, id)?;
            Ok(())
        })
        .await?;
    Ok(answer::empty())
}

/// Whether a tenant names the template for one of the mails that Beadle only keeps the
/// settings of.
fn tenant_uses(connection: &mut AnyConnection, id: EmailTemplateId) -> QueryResult<bool> {
    let id = id.to_string();
    let tenants = Tenant::all(connection)?;
    Ok(tenants.iter().any(|tenant| {
        let mut settings = tenant.email_configuration.0.iter();
        settings.any(|(name, value)| name.ends_with("TemplateId") && value.as_str() == Some(&id))
    }))
}
