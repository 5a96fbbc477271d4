//! `DELETE /api/user/{userId}[?hardDelete=true]`

use beadle_common::id::UserId;
use beadle_common::model::suppression::Suppression;
use beadle_common::model::user::User;
use beadle_common::outbox::end_of_user;

use super::update::{find_for_delete, find_for_update};
use crate::answer::{self, Answer};
use crate::extract::Call;

/// Deactivates, which keeps everything; or removes the user with the logs of what was
/// done to them, what is still owed because of it, and the events and mails that told of
/// it. Logs of what they did to others keep their Id.
pub(super) async fn delete_user(call: Call) -> Answer {
    let id: UserId = call.required_id()?;
    let hard = call.query().flag("hardDelete")?.unwrap_or(false);
    let (scope, now) = (call.scope(), call.now());
    call.state()
        .write(move |connection| {
            if hard {
                let user = find_for_delete(connection, id, scope)?;
                end_of_user(connection, id, now)?;
                User::delete(connection, id)?;
                if let Some(address) = &user.email {
                    Suppression::lift(connection, Some(user.tenant_id), address, now)?;
                }
                return Ok(());
            }
            let mut user = find_for_update(connection, id, scope)?;
            if user.active {
                user.active = false;
                user.last_update_instant = now;
                user.update(connection)?;
            }
            Ok(())
        })
        .await?;
    Ok(answer::empty())
}
