//! `DELETE /api/application/{applicationId}[?hardDelete=true]`

use std::time::Duration;

use beadle_common::db::Db;
use beadle_common::id::{ApplicationId, TenantId};
use beadle_common::model::action_log::{ActionLog, LogCursor};
use beadle_common::model::application::Application;
use beadle_common::model::registration::Registration;

use super::{find_for_delete, find_for_update};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

/// Registrations that are removed together: few enough that nobody waits for them.
const REGISTRATIONS: i64 = 500;

/// How long before its commit an action may have been asked for.
const LONGEST_REQUEST: Duration = Duration::from_secs(120);

/// Deactivates; or removes the application, from the logs that are limited to it too.
pub(super) async fn delete_application(call: Call) -> Answer {
    let id: ApplicationId = call.required_id()?;
    let hard = call.query().flag("hardDelete")?.unwrap_or(false);
    let (state, now, scope) = (call.state(), call.now(), call.scope());
    let tenant = state
        .write(move |connection| {
            let mut application = find_for_update(connection, id, scope)?;
            if application.active && !hard {
                application.active = false;
                application.last_update_instant = now;
                application.update(connection)?;
            }
            Ok(application.tenant_id)
        })
        .await?;
    if hard {
        let background = state.background.clone();
        background
            .finish(remove(state.db.clone(), tenant, id))
            .await?;
    }
    Ok(answer::empty())
}

/// Registrations and logs may be many, so they are gone through in short transactions. What a
/// cut leaves is done by the same request again.
async fn remove(db: Db, tenant: TenantId, id: ApplicationId) -> Result<(), ApiError> {
    let last = forget(&db, tenant, id, None).await?;
    while db
        .write(move |connection| {
            Ok::<_, ApiError>(Registration::delete_some(connection, id, REGISTRATIONS)?)
        })
        .await?
        > 0
    {}
    db.write(move |connection| {
        find_for_delete(connection, id, Some(tenant))?;
        Application::delete(connection, id)?;
        Ok::<_, ApiError>(())
    })
    .await?;
    // Those that have named it meanwhile.
    let last = last.map(|last| last.back(LONGEST_REQUEST));
    forget(&db, tenant, id, last).await?;
    Ok(())
}

/// Takes the application out of the logs behind `after`, and says which was the last.
async fn forget(
    db: &Db,
    tenant: TenantId,
    id: ApplicationId,
    mut after: Option<LogCursor>,
) -> Result<Option<LogCursor>, ApiError> {
    loop {
        let (logs, last) = db
            .read(move |connection| {
                Ok::<_, ApiError>(ActionLog::limited_to(connection, tenant, id, after)?)
            })
            .await?;
        if last.is_none() {
            return Ok(after);
        }
        after = last;
        if !logs.is_empty() {
            db.write(move |connection| {
                Ok::<_, ApiError>(ActionLog::forget_application(connection, &logs, id)?)
            })
            .await?;
        }
    }
}
