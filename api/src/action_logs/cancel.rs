//! `DELETE /api/user/action/{actionId}`, with a body: takes an active log back.

use beadle_common::db::AnyConnection;
use beadle_common::id::ActionLogId;
use beadle_common::lifecycle::{CancelRequest, Change, prepare_cancel};

use super::change::carry_out;
use super::request::{Request, action, judge, read_common};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::errors::Collector;
use crate::extract::Call;
use crate::input::Object;
use crate::state::State;

pub(super) async fn cancel_action(mut call: Call) -> Answer {
    let id: ActionLogId = call.required_id()?;
    let request = Request::read(&mut call).await;
    carry_out(&call, move |connection, state| {
        prepare(connection, state, id, &request)
    })
    .await
}

fn prepare(
    connection: &mut AnyConnection,
    state: &State,
    id: ActionLogId,
    request: &Request,
) -> Result<Change, ApiError> {
    let members = request.members_for(connection, id)?;
    let errors = Collector::new();
    let body = Object::root(members, &errors);
    let action = action(&body)?;
    let cancel = CancelRequest {
        common: read_common(&action),
    };
    let call = request.call(&body, state);
    judge(
        prepare_cancel(connection, &state.setup, &call, id, &cancel),
        errors,
        &[],
    )
}
