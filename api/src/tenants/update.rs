//! `PUT` and `PATCH /api/tenant/{tenantId}`

use beadle_common::db::AnyConnection;
use beadle_common::id::TenantId;
use beadle_common::model::mail_limit::MailLimit;
use beadle_common::model::tenant::Tenant;
use beadle_common::outbox::begin_mail_anew;
use beadle_common::seal::Sealer;
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{self, Absent};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::create::sealed;
use super::input::{self, Reading};
use super::password::Password;
use super::view::for_patch;
use super::webhook_ids::{read_webhook_ids, tie};
use super::{OWN, WRAPPER};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn update_tenant(mut call: Call) -> Answer {
    let id: TenantId = call.required_id()?;
    let body = call.body().await.map(|body| body.keeping(&OWN));
    let is_patch = body.as_ref().is_ok_and(|body| body.patch.is_some());
    let placeholder = is_patch.then(|| Uuid::new_v4().to_string());
    let update = Update {
        id,
        lock: call.caller().lock,
        placeholder: placeholder.clone(),
        sealer: call.state().sealer.clone(),
        now: call.now(),
    };
    let tenant = call
        .update(
            body,
            move |connection| Tenant::find_for_update(connection, id)?.ok_or(ApiError::NotFound),
            move |stored| {
                let shown = stored.smtp_password.as_ref().and(placeholder.as_deref());
                Ok(for_patch(stored, shown))
            },
            move |connection, stored, members| update.carry_out(connection, stored, members),
        )
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::tenant(&tenant, Absent::Omit),
    ))
}

struct Update {
    id: TenantId,
    lock: Option<TenantId>,
    /// What a PATCH finds in the place of the password. Nobody can guess it, so it stands for
    /// nothing else.
    placeholder: Option<String>,
    sealer: Sealer,
    now: UnixMillis,
}

impl Update {
    fn carry_out(
        &self,
        connection: &mut AnyConnection,
        stored: Tenant,
        members: &Map<String, Value>,
    ) -> Result<Tenant, ApiError> {
        let (id, now) = (self.id, self.now);
        let (read, password, stays, webhooks) = read_wrapped(members, WRAPPER, |object| {
            let webhooks = read_webhook_ids(connection, members, object.errors(), id, self.lock)?;
            let reading = Reading {
                id,
                lock: self.lock,
                stored: Some(&stored),
                now,
            };
            let (read, password) = input::read_tenant(connection, object, &reading)?;
            let password = Password::of(password, self.placeholder.as_deref());
            let stays = password.stays(&stored, &read, object);
            Ok((read, password, stays, webhooks))
        })?;
        let smtp_password = match password {
            Password::New(password) => sealed(&self.sealer, id, Some(&password))?,
            Password::Untouched | Password::Removed => {
                stored.smtp_password.clone().filter(|_| stays)
            }
        };
        let tenant = Tenant {
            is_default: stored.is_default,
            smtp_password,
            insert_instant: stored.insert_instant,
            ..read
        };
        tenant.update(connection)?;
        MailLimit::put(connection, &tenant)?;
        begin_mail_anew(connection, &stored, &tenant)?;
        tie(connection, id, webhooks.as_deref())?;
        Ok(tenant)
    }
}
