//! `PUT /api/user/action/{actionId}`: gives an active log a new end.

use beadle_common::db::AnyConnection;
use beadle_common::id::ActionLogId;
use beadle_common::lifecycle::{Change, ModifyRequest, prepare_modify};

use super::change::carry_out;
use super::request::{Request, action, judge, read_common};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::errors::Collector;
use crate::extract::Call;
use crate::input::Object;
use crate::state::State;

pub(super) async fn modify_action(mut call: Call) -> Answer {
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
    let modify = ModifyRequest {
        common: read_common(&action),
        expiry: action.instant("expiry"),
    };
    let call = request.call(&body, state);
    judge(
        prepare_modify(connection, &state.setup, &call, id, &modify),
        errors,
        &[],
    )
}
