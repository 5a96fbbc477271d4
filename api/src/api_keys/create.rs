//! `POST /api/api-key[/{keyId}]`

use beadle_common::resources::api_keys::{ApiKeyResource, create_api_key};
use beadle_common::resources::{self, Resource};

use crate::answer::{Answer, Reply};
use crate::extract::Call;

pub(super) async fn create(mut call: Call) -> Answer {
    let given = call.id()?;
    let members = call.body().await?.into_members()?;
    let context = call.context();
    call.commit(move |connection| {
        let key = create_api_key(connection, &context, given, &members)?;
        Ok(Reply::wrapped(ApiKeyResource::NOUN, resources::show(&key)))
    })
    .await
}
