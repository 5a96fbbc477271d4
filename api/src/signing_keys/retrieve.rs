//! `GET /api/key[/{keyId}]`

use beadle_common::id::SigningKeyId;
use beadle_common::model::signing_key::SigningKeyRow;
use serde_json::Value;

use super::{WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_keys(call: Call) -> Answer {
    let id: Option<SigningKeyId> = call.id()?;
    let Some(id) = id else {
        let mut keys = call
            .state()
            .read(|connection| Ok(SigningKeyRow::all(connection)?))
            .await?;
        keys.sort_by(|a, b| (&a.name_key, a.id).cmp(&(&b.name_key, b.id)));
        let list: Value = keys.iter().map(view::key).collect();
        return Ok(answer::wrapped("keys", list));
    };
    let key = call
        .state()
        .read(move |connection| Ok(SigningKeyRow::find(connection, id)?))
        .await?;
    let key = key.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(WRAPPER, view::key(&key)))
}
