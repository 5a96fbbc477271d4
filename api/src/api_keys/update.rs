//! `PUT` and `PATCH /api/api-key/{keyId}`. The key, its lock and whether it may be read
//! back stay as they are.

use beadle_common::id::ApiKeyId;
use serde_json::json;

use super::input::Changeable;
use super::{WRAPPER, find_for_update, view};
use crate::answer::{self, Answer};
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn update_api_key(mut call: Call) -> Answer {
    let id: ApiKeyId = call.required_id()?;
    let body = call.body().await;
    let is_patch = body.as_ref().is_ok_and(|body| body.patch.is_some());
    let (caller, sealer, now) = (
        call.caller().clone(),
        call.state().sealer.clone(),
        call.now(),
    );
    let key = call
        .update(
            body,
            move |connection| find_for_update(connection, id, &caller),
            |stored| Ok(json!({ WRAPPER: view::without_key(stored) })),
            move |connection, mut key, members| {
                let changes = read_wrapped(members, WRAPPER, |object| {
                    Changeable::read(connection, object, id, key.retrievable)
                })?;
                changes.change(&mut key, is_patch, now);
                key.update(connection)?;
                view::api_key(&sealer, &key)
            },
        )
        .await?;
    Ok(answer::wrapped(WRAPPER, key))
}
