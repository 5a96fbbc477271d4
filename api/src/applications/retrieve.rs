//! `GET /api/application[/{applicationId}][?inactive=true]`

use beadle_common::id::ApplicationId;
use beadle_common::model::application::Application;
use beadle_common::view::{self, Absent};
use serde_json::Value;

use super::{WRAPPER, find};
use crate::answer::{self, Answer};
use crate::extract::Call;

pub(super) async fn retrieve_applications(call: Call) -> Answer {
    let id: Option<ApplicationId> = call.id()?;
    let Some(id) = id else {
        return list(call).await;
    };
    let scope = call.scope();
    let application = call
        .state()
        .read(move |connection| find(connection, id, scope))
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::application(&application, Absent::Omit),
    ))
}

/// The active applications by name, or the inactive ones.
async fn list(call: Call) -> Answer {
    let inactive = call.query().flag("inactive")?.unwrap_or(false);
    let scope = call.scope();
    let mut applications: Vec<Application> = call
        .state()
        .read(|connection| Ok(Application::all(connection)?))
        .await?;
    applications.retain(|application| {
        application.active != inactive && scope.is_none_or(|tenant| tenant == application.tenant_id)
    });
    applications.sort_by(|a, b| (&a.name_key, a.id).cmp(&(&b.name_key, b.id)));
    let list: Value = applications
        .iter()
        .map(|application| view::application(application, Absent::Omit))
        .collect();
    Ok(answer::wrapped("applications", list))
}
