//! `POST /api/user/action`: applies a definition to a user.

use beadle_common::db::AnyConnection;
use beadle_common::id::{ActionLogId, ApplicationId};
use beadle_common::lifecycle::{Change, TakeRequest, prepare_take};

use super::change::{Request, action, carry_out};
use super::input::{judge, read_common};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::errors::Collector;
use crate::extract::Call;
use crate::input::{LONGEST_NAME, Object};
use crate::state::State;

pub(super) async fn take_action(mut call: Call) -> Answer {
    // The Id of a log cannot be chosen.
    if call.id::<ActionLogId>()?.is_some() {
        return Err(ApiError::MethodNotAllowed);
    }
    let request = Request::read(&mut call).await;
    carry_out(&call, move |connection, state| {
        prepare(connection, state, &request)
    })
    .await
}

fn prepare(
    connection: &mut AnyConnection,
    state: &State,
    request: &Request,
) -> Result<Change, ApiError> {
    let members = request.members()?;
    let errors = Collector::new();
    let body = Object::root(&members, &errors);
    let action = action(&body)?;
    let applications = action.ids::<ApplicationId>("applicationIds");
    let take = TakeRequest {
        common: read_common(&action),
        actionee_user_id: action.id("actioneeUserId"),
        user_action_id: action.id("userActionId"),
        application_ids: applications.iter().map(|listed| listed.value).collect(),
        expiry: action.instant("expiry"),
        option: action.short_text("option", LONGEST_NAME),
        reason_id: action.id("reasonId"),
    };
    let call = request.call(&body);
    let prepared = prepare_take(connection, &state.setup, &call, &take);
    let paths: Vec<String> = applications.into_iter().map(|listed| listed.path).collect();
    judge(prepared, errors, &paths)
}
