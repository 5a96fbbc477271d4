//! `PUT /api/key/{keyId}`: another name. Nothing else of a key can change.

use beadle_common::db::AnyConnection;
use beadle_common::id::SigningKeyId;
use beadle_common::model::normalize;
use beadle_common::model::signing_key::SigningKeyRow;
use serde_json::json;

use super::{WRAPPER, view, visible};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::{LONGEST_NAME, Object, read_wrapped};

pub(super) async fn update_key(mut call: Call) -> Answer {
    let id: SigningKeyId = call.required_id()?;
    let body = call.body().await;
    let (scope, now) = (call.scope(), call.now());
    let key = call
        .update(
            body,
            move |connection| visible(SigningKeyRow::find_for_update(connection, id)?, scope),
            |stored| Ok(json!({WRAPPER: view::key(stored)})),
            move |connection, mut key, members| {
                key.name =
                    read_wrapped(members, WRAPPER, |object| read_name(connection, object, id))?;
                key.name_normalized = normalize(&key.name);
                key.last_update_instant = now;
                key.update(connection)?;
                Ok(key)
            },
        )
        .await?;
    Ok(answer::wrapped(WRAPPER, view::key(&key)))
}

/// The name, which no other key may have.
pub(super) fn read_name(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    id: SigningKeyId,
) -> Result<String, ApiError> {
    let name = object.required_text("name", LONGEST_NAME);
    if SigningKeyRow::by_name(connection, &name)?.is_some_and(|other| other != id) {
        object.refuse(Prefix::Duplicate, "name");
    }
    Ok(name)
}
