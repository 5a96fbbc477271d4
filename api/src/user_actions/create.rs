//! `POST /api/user-action[/{userActionId}]`

use beadle_common::id::UserActionId;
use beadle_common::model::user_action::UserAction;
use beadle_common::view::{self, Absent};

use super::{ENDPOINT, WRAPPER, input};
use crate::answer::{Answer, Reply};
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn create_user_action(mut call: Call) -> Answer {
    let given: Option<UserActionId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let (id, now) = (given.unwrap_or_else(UserActionId::random), call.now());
    call.commit(move |connection| {
        let definition = read_wrapped(&members, WRAPPER, |object| {
            if given.is_some() && UserAction::exists(connection, id)? {
                object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
            }
            input::read_user_action(connection, object, id, now)
        })?;
        definition.insert(connection)?;
        Ok(Reply::wrapped(
            WRAPPER,
            view::user_action(&definition, Absent::Omit),
        ))
    })
    .await
}
