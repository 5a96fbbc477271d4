//! `PUT` and `PATCH /api/tenant/{tenantId}`

use beadle_common::db::AnyConnection;
use beadle_common::id::TenantId;
use beadle_common::instant::Instant;
use beadle_common::model::mail_limit::MailLimit;
use beadle_common::model::tenant::Tenant;
use beadle_common::seal::Sealer;
use beadle_common::view::{self, Absent};
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
use crate::input::{Body, read_wrapped};

pub(super) async fn update_tenant(mut call: Call) -> Answer {
    let id: TenantId = call.required_id()?;
    let update = Update {
        id,
        lock: call.caller().lock,
        placeholder: Uuid::new_v4().to_string(),
        body: call.body().await,
        sealer: call.state().sealer.clone(),
        now: call.now(),
    };
    let tenant = call
        .state()
        .write(move |connection| update.carry_out(connection))
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::tenant(&tenant, Absent::Omit),
    ))
}

#[derive(Clone)]
struct Update {
    id: TenantId,
    lock: Option<TenantId>,
    /// What a PATCH finds in the place of the password. Nobody can guess it, so it stands for
    /// nothing else.
    placeholder: String,
    body: Result<Body, ApiError>,
    sealer: Sealer,
    now: Instant,
}

impl Update {
    fn carry_out(&self, connection: &mut AnyConnection) -> Result<Tenant, ApiError> {
        let (id, now) = (self.id, self.now);
        let stored = Tenant::find_for_update(connection, id)?.ok_or(ApiError::NotFound)?;
        let body = self.body.clone()?;
        let placeholder = body.patch.map(|_| self.placeholder.as_str());
        let shown = stored.smtp_password.as_ref().and(placeholder);
        let members = body.onto_with_own(&OWN, for_patch(&stored, shown))?;
        let (read, password, stays, webhooks) = read_wrapped(&members, WRAPPER, |object| {
            let webhooks = read_webhook_ids(connection, &members, object.errors(), id, self.lock)?;
            let reading = Reading {
                id,
                lock: self.lock,
                stored: Some(&stored),
                now,
            };
            let (read, password) = input::read_tenant(connection, object, &reading)?;
            let password = Password::of(password, placeholder);
            let stays = password.stays(&stored, &read, object);
            Ok((read, password, stays, webhooks))
        })?;
        let smtp_password = match password {
            Password::New(password) => sealed(&self.sealer, id, Some(&password))?,
            Password::Untouched | Password::Removed => stored.smtp_password.filter(|_| stays),
        };
        let tenant = Tenant {
            is_default: stored.is_default,
            smtp_password,
            insert_instant: stored.insert_instant,
            ..read
        };
        tenant.update(connection)?;
        MailLimit::put(connection, &tenant)?;
        tie(connection, id, webhooks.as_deref())?;
        Ok(tenant)
    }
}
