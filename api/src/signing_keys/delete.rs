//! `DELETE /api/key/{keyId}`

use beadle_common::id::SigningKeyId;
use beadle_common::model::signing_key::SigningKeyRow;

use super::ENDPOINT;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;

/// Refused while a webhook names the key: its deliveries could not be signed.
pub(super) async fn delete_key(call: Call) -> Answer {
    let id: SigningKeyId = call.required_id()?;
    call.state()
        .write(move |connection| {
            if SigningKeyRow::find_for_delete(connection, id)?.is_none() {
                return Err(ApiError::NotFound);
            }
            if SigningKeyRow::in_use(connection, id)? {
                return Err(ApiError::field(Prefix::InUse, ENDPOINT.id));
            }
            SigningKeyRow::delete(connection, id)?;
            Ok(())
        })
        .await?;
    Ok(answer::empty())
}
