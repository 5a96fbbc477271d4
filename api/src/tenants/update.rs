//! `PUT` and `PATCH /api/tenant/{tenantId}`

use actix_web::http::Method;
use beadle_common::id::TenantId;
use beadle_common::model::mail_limit::MailLimit;
use beadle_common::model::tenant::Tenant;
use beadle_common::view::{self, Absent};

use super::create::sealed;
use super::view::{for_patch, smtp_password};
use super::webhook_ids::{read_webhook_ids, tie};
use super::{WRAPPER, input};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn update_tenant(mut call: Call) -> Answer {
    let id: TenantId = call.required_id()?;
    let body = call.body().await;
    let is_put = call.request().method() == Method::PUT;
    let now = call.now();
    let sealer = call.state().sealer.clone();
    let tenant = call
        .state()
        .write(move |connection| {
            let stored = Tenant::find_for_update(connection, id)?.ok_or(ApiError::NotFound)?;
            let stored_password = smtp_password(&sealer, &stored)?;
            let members = body
                .clone()?
                .onto(|| for_patch(&stored, stored_password.as_deref()))?;
            let (read, password, webhooks) = read_wrapped(&members, WRAPPER, |object| {
                let webhooks = read_webhook_ids(connection, &members, object.errors())?;
                let (read, password) = input::read_tenant(connection, object, id, now)?;
                Ok((read, password, webhooks))
            })?;
            let kept = stored_password.filter(|_| is_put && same_account(&stored, &read));
            let tenant = Tenant {
                is_default: stored.is_default,
                smtp_password: sealed(&sealer, id, password.or(kept).as_deref())?,
                insert_instant: stored.insert_instant,
                ..read
            };
            tenant.update(connection)?;
            MailLimit::put(connection, &tenant)?;
            tie(connection, id, webhooks.as_deref())?;
            Ok(tenant)
        })
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::tenant(&tenant, Absent::Omit),
    ))
}

/// Answers never show the password, so a PUT cannot be expected to carry it: it stays as
/// long as it is for the same user of the same server.
fn same_account(stored: &Tenant, read: &Tenant) -> bool {
    let same = |name| {
        let stored = stored.email_setting(name);
        stored.is_some() && stored == read.email_setting(name)
    };
    same("host") && same("username")
}
