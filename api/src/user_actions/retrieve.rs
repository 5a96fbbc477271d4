//! `GET /api/user-action[/{userActionId}][?inactive=true]`

use beadle_common::db::AnyConnection;
use beadle_common::id::UserActionId;
use beadle_common::model::user_action::UserAction;
use beadle_common::view::{self, Absent, View};

use super::WRAPPER;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};

pub(super) async fn retrieve_user_actions(call: Call) -> Answer {
    let Some(id) = call.id()? else {
        return list(call).await;
    };
    let definition = call
        .state()
        .read(move |connection| Ok(UserAction::find(connection, id)?))
        .await?;
    let definition: UserAction = definition.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(
        WRAPPER,
        view::user_action(&definition, Absent::Omit),
    ))
}

/// All definitions by name, or only the inactive ones.
async fn list(call: Call) -> Answer {
    let inactive_only = call.query().flag("inactive")?.unwrap_or(false);
    listing::answer(&call, "userActions", Definitions, move |connection| {
        Ok(UserAction::ids_by_name(connection, inactive_only)?)
    })
    .await
}

/// Definitions.
#[derive(Clone)]
struct Definitions;

impl Rows for Definitions {
    type Id = UserActionId;
    type Row = UserAction;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[UserActionId],
    ) -> Result<Vec<(UserActionId, UserAction)>, ApiError> {
        let rows = UserAction::load(connection, ids)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn show(&self, row: &UserAction) -> Result<View, ApiError> {
        Ok(view::user_action(row, Absent::Omit))
    }
}
