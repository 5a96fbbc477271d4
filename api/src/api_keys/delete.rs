//! `DELETE /api/api-key/{keyId}`

use beadle_common::id::ApiKeyId;
use beadle_common::model::api_key::ApiKey;

use super::find;
use crate::answer::{self, Answer};
use crate::extract::Call;

pub(super) async fn delete_api_key(call: Call) -> Answer {
    let id: ApiKeyId = call.required_id()?;
    let caller = call.caller().clone();
    call.state()
        .write(move |connection| {
            find(connection, id, &caller)?;
            ApiKey::delete(connection, id)?;
            Ok(())
        })
        .await?;
    Ok(answer::empty())
}
