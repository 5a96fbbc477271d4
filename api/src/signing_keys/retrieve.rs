//! `GET /api/key[/{keyId}]`

use beadle_common::id::SigningKeyId;
use beadle_common::model::signing_key::SigningKeyRow;
use serde_json::Value;

use super::{WRAPPER, view, visible};
use crate::answer::{self, Answer};
use crate::extract::Call;

pub(super) async fn retrieve_keys(call: Call) -> Answer {
    let id: Option<SigningKeyId> = call.id()?;
    let scope = call.scope();
    let Some(id) = id else {
        let mut keys = call
            .state()
            .read(|connection| Ok(SigningKeyRow::all(connection)?))
            .await?;
        keys.retain(|key| scope.is_none_or(|tenant| key.serves(tenant)));
        keys.sort_by(|a, b| (&a.name_key, a.id).cmp(&(&b.name_key, b.id)));
        let list: Value = keys.iter().map(view::key).collect();
        return Ok(answer::wrapped("keys", list));
    };
    let key = call
        .state()
        .read(move |connection| Ok(SigningKeyRow::find(connection, id)?))
        .await?;
    Ok(answer::wrapped(WRAPPER, view::key(&visible(key, scope)?)))
}
