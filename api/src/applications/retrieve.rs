//! `GET /api/application[/{applicationId}][?inactive=true]`

use beadle_common::db::AnyConnection;
use beadle_common::id::ApplicationId;
use beadle_common::model::application::Application;
use beadle_common::view::{self, Absent, View};

use super::{WRAPPER, find};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};

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
    listing::answer(&call, "applications", Applications, move |connection| {
        Ok(Application::ids_by_name(connection, scope, !inactive)?)
    })
    .await
}

/// Applications.
#[derive(Clone)]
struct Applications;

impl Rows for Applications {
    type Id = ApplicationId;
    type Row = Application;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[ApplicationId],
    ) -> Result<Vec<(ApplicationId, Application)>, ApiError> {
        let rows = Application::load(connection, ids)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn show(&self, row: &Application) -> Result<View, ApiError> {
        Ok(view::application(row, Absent::Omit))
    }
}
