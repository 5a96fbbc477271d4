//! `DELETE /api/user/{userId}[?hardDelete=true]`

use std::time::Duration;

use beadle_common::erasure::erase_user;
use beadle_common::id::UserId;
use tokio::time::sleep;

use super::find::{find_for_delete, find_for_update};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

/// How long to wait for a worker that is about to settle what is to be erased.
const BUSY: Duration = Duration::from_millis(50);

/// How often.
const TRIES: u32 = 20;

/// Deactivates, which keeps everything; or removes the user with the logs of what was
/// done to them, what is still owed because of it, and the events and mails that told of
/// it. Logs of what they did to others keep their Id.
pub(super) async fn delete_user(call: Call) -> Answer {
    let id: UserId = call.required_id()?;
    match call.query().flag("hardDelete")?.unwrap_or(false) {
        true => erase(&call, id).await,
        false => deactivate(&call, id).await,
    }
}

async fn deactivate(call: &Call, id: UserId) -> Answer {
    let (scope, now) = (call.scope(), call.now());
    call.state()
        .write(move |connection| {
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

async fn erase(call: &Call, id: UserId) -> Answer {
    let (state, scope, now) = (call.state(), call.scope(), call.now());
    let begin = move |connection: &mut _| {
        let user = find_for_delete(connection, id, scope)?;
        Ok(erase_user(connection, &user, now)?)
    };
    let mut tries = 1;
    let rest = loop {
        match state.write(begin).await {
            Err(ApiError::Conflict) if tries < TRIES => sleep(BUSY).await,
            begun => break begun?,
        }
        tries += 1;
    };
    if let Some(rest) = rest {
        state.erasing(rest, now).await;
    }
    Ok(answer::empty())
}
