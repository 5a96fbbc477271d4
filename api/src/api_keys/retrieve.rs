//! `GET /api/api-key/{keyId}`. There is no list.

use beadle_common::id::ApiKeyId;

use super::{WRAPPER, find, view};
use crate::answer::{self, Answer};
use crate::extract::Call;

pub(super) async fn retrieve_api_key(call: Call) -> Answer {
    let id: ApiKeyId = call.required_id()?;
    let caller = call.caller().clone();
    let key = call
        .state()
        .read(move |connection| find(connection, id, &caller))
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::api_key(&call.state().sealer, &key)?,
    ))
}
