//! `POST /api/tenant[/{tenantId}]`

use beadle_common::id::TenantId;
use beadle_common::model::mail_limit::MailLimit;
use beadle_common::model::tenant::Tenant;
use beadle_common::seal::Sealer;
use beadle_common::view::{self, Absent};

use super::input::{self, Reading};
use super::source::with_source;
use super::webhook_ids::{read_webhook_ids, tie};
use super::{ENDPOINT, WRAPPER};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn create_tenant(mut call: Call) -> Answer {
    let given: Option<TenantId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let (id, now) = (given.unwrap_or_else(TenantId::random), call.now());
    let (sealer, lock) = (call.state().sealer.clone(), call.caller().lock);
    call.commit(move |connection| {
        let members = with_source(connection, &sealer, &members)?;
        let (mut tenant, password, webhooks) = read_wrapped(&members, WRAPPER, |object| {
            if given.is_some() && Tenant::exists(connection, id)? {
                object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
            }
            let webhooks = read_webhook_ids(connection, &members, object.errors(), id, lock)?;
            let reading = Reading {
                id,
                lock,
                stored: None,
                now,
            };
            let (tenant, password) = input::read_tenant(connection, object, &reading)?;
            Ok((tenant, password, webhooks))
        })?;
        tenant.smtp_password = sealed(&sealer, id, password.as_deref())?;
        tenant.insert(connection)?;
        MailLimit::put(connection, &tenant)?;
        tie(connection, id, webhooks.as_deref())?;
        Ok(Reply::wrapped(WRAPPER, view::tenant(&tenant, Absent::Omit)))
    })
    .await
}

/// The SMTP password as it is stored.
pub(super) fn sealed(
    sealer: &Sealer,
    id: TenantId,
    password: Option<&str>,
) -> Result<Option<Vec<u8>>, ApiError> {
    password
        .map(|password| sealer.seal_text(Tenant::password_place(id), password))
        .transpose()
        .map_err(ApiError::internal)
}
