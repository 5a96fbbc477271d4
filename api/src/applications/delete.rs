//! `DELETE /api/application/{applicationId}[?hardDelete=true]`

use beadle_common::id::ApplicationId;
use beadle_common::model::action_log::ActionLog;
use beadle_common::model::application::Application;

use super::{find_for_delete, find_for_update};
use crate::answer::{self, Answer};
use crate::extract::Call;

/// Deactivates; or removes the application, from the logs that are limited to it too.
pub(super) async fn delete_application(call: Call) -> Answer {
    let id: ApplicationId = call.required_id()?;
    let hard = call.query().flag("hardDelete")?.unwrap_or(false);
    let (now, scope) = (call.now(), call.scope());
    call.state()
        .write(move |connection| {
            if hard {
                let application = find_for_delete(connection, id, scope)?;
                ActionLog::forget_application(connection, application.tenant_id, id)?;
                Application::delete(connection, id)?;
                return Ok(());
            }
            let mut application = find_for_update(connection, id, scope)?;
            if application.active {
                application.active = false;
                application.last_update_instant = now;
                application.update(connection)?;
            }
            Ok(())
        })
        .await?;
    Ok(answer::empty())
}
