//! `PUT` and `PATCH /api/user/{userId}`, and `PUT` with `reactivate=true`.

use beadle_common::id::UserId;
use beadle_common::lifecycle::lift_lockout;
use beadle_common::view::{self, Absent};
use serde_json::json;

use super::WRAPPER;
use super::find::find_for_update;
use super::input::{Identity, read_user};
use super::password::{hash_of, hash_offered};
use super::retrieve::show;
use crate::action_logs::read_info;
use crate::answer::{self, Answer};
use crate::errors::Collector;
use crate::extract::Call;
use crate::input::{Object, read_wrapped};

pub(super) async fn update_user(mut call: Call) -> Answer {
    let id: UserId = call.required_id()?;
    if call.asks_to_reactivate()? {
        return reactivate(&call, id).await;
    }
    let body = call.body().await;
    let hashing = call.state().hashing.clone();
    let (scope, now) = (call.scope(), call.now());
    let (setup, origin) = (call.state().setup.clone(), call.origin());
    let (user, leaves_work) = call
        .update_prepared(
            body,
            move |connection| find_for_update(connection, id, scope),
            |stored| Ok(json!({WRAPPER: view::user(stored, Absent::Omit)})),
            async |members| hash_offered(&hashing, members).await,
            move |connection, stored, members, hashed| {
                let identity = Identity {
                    id,
                    tenant: stored.tenant_id,
                };
                let (mut user, password) = read_wrapped(members, WRAPPER, |object| {
                    read_user(connection, object, identity, now)
                })?;
                user.active = stored.active;
                user.insert_instant = stored.insert_instant;
                let is_new_password = password.is_some();
                // No answer shows the password, so its absence does not take it away.
                (user.password_hash, user.password_last_update_instant) = match password {
                    Some(password) => (Some(hash_of(&password, hashed.as_ref())?), Some(now)),
                    None => (stored.password_hash, stored.password_last_update_instant),
                };
                user.update(connection)?;
                let leaves_work = is_new_password && {
                    let errors = Collector::new();
                    let info = read_info(&Object::root(members, &errors), &origin);
                    lift_lockout(connection, &setup, &user, now, info)?
                };
                Ok((show(connection, &user)?, leaves_work))
            },
        )
        .await?;
    if leaves_work {
        call.state().wake.wake();
    }
    Ok(answer::wrapped(WRAPPER, user))
}

async fn reactivate(call: &Call, id: UserId) -> Answer {
    let (scope, now) = (call.scope(), call.now());
    let user = call
        .state()
        .write(move |connection| {
            let mut user = find_for_update(connection, id, scope)?;
            if !user.active {
                user.active = true;
                user.last_update_instant = now;
                user.update(connection)?;
            }
            show(connection, &user)
        })
        .await?;
    Ok(answer::wrapped(WRAPPER, user))
}
