//! `DELETE /api/key/{keyId}`

use beadle_common::id::SigningKeyId;
use beadle_common::model::signing_key::SigningKeyRow;

use super::{ENDPOINT, visible};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;

/// Refused while a webhook or a tenant names the key: what they send could not be signed.
pub(super) async fn delete_key(call: Call) -> Answer {
    let id: SigningKeyId = call.required_id()?;
    let scope = call.scope();
    call.state()
        .write(move |connection| {
            visible(SigningKeyRow::find_for_delete(connection, id)?, scope)?;
            if SigningKeyRow::in_use(connection, id)? {
                return Err(ApiError::field(Prefix::InUse, ENDPOINT.id));
            }
            SigningKeyRow::delete(connection, id)?;
            Ok(())
        })
        .await?;
    Ok(answer::empty())
}
