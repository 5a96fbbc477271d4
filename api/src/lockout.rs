//! Has wrong passwords counted.
//!
//! A wrong password is counted after it has been answered. How long that takes depends on the
//! user, so before the answer it would tell a stranger who exists.

use actix_web::web::Data;
use beadle_common::lifecycle::{
    Conflict, LockoutPolicy, SystemStep, commit_lockout, count_failed_login, prepare_lockout,
};
use beadle_common::model::user::User;
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::state::State;

/// Has a wrong password counted, if there is such a user.
///
/// # Errors
/// [`ApiError::Busy`] when too many are being counted, whether there is such a user or not.
pub(crate) async fn record_failed_login(
    state: &Data<State>,
    user: Option<User>,
    now: UnixMillis,
    info: Map<String, Value>,
) -> Result<(), ApiError> {
    let room = state.failures.room().await?;
    let Some(user) = user else {
        return Ok(());
    };
    let counting = state.failures.begin(user.id, room);
    let counted = state.clone();
    state.background.go_on(async move {
        if let Err(error) = count_failure(&counted, &user, now, info).await {
            error.log();
        }
        drop(counting);
    });
    Ok(())
}

/// Counts a wrong password, and locks the user out if that makes too many of them. Somebody
/// who is locked out already is so for longer.
async fn count_failure(
    state: &Data<State>,
    user: &User,
    now: UnixMillis,
    info: Map<String, Value>,
) -> Result<(), ApiError> {
    let (id, of) = (user.id, user.clone());
    let policy = state
        .read(move |connection| Ok(LockoutPolicy::of(connection, &of)?))
        .await?;
    let Some(policy) = policy else {
        return Ok(());
    };
    let counted = policy.clone();
    let step = state
        .write(move |connection| Ok(count_failed_login(connection, id, &counted, now)?))
        .await?;
    let Some(step) = step else {
        return Ok(());
    };
    let setup = state.setup.clone();
    let is_new = matches!(step, SystemStep::Lock { .. });
    let change = state
        .read(move |connection| Ok(prepare_lockout(connection, &setup, now, info, &step)?))
        .await?;
    let Some(change) = change else {
        return Ok(());
    };
    let written = state
        .db
        .write(move |connection| commit_lockout(connection, id, &policy, is_new, now, change));
    match written.await {
        Ok(Some(change)) if change.leaves_work() => state.wake.wake(),
        // Changed: another failure, or somebody who lifts the lock, was there first.
        Ok(_) | Err(Conflict::Changed) => {}
        Err(Conflict::Database(error)) => return Err(error.into()),
    }
    Ok(())
}
