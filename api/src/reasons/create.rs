//! `POST /api/user-action-reason[/{userActionReasonId}]`

use beadle_common::id::ReasonId;
use beadle_common::model::reason::Reason;

use super::{ENDPOINT, WRAPPER, input, view};
use crate::answer::{Answer, Reply};
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn create_reason(mut call: Call) -> Answer {
    let given: Option<ReasonId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let (id, now) = (given.unwrap_or_else(ReasonId::random), call.now());
    call.commit(move |connection| {
        let reason = read_wrapped(&members, WRAPPER, |object| {
            if given.is_some() && Reason::exists(connection, id)? {
                object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
            }
            input::read_reason(connection, object, id, now)
        })?;
        reason.insert(connection)?;
        Ok(Reply::wrapped(WRAPPER, view::reason(&reason)))
    })
    .await
}
