//! `POST /api/key/generate[/{keyId}]` and `POST /api/key/import[/{keyId}]`

use beadle_common::resources::signing_keys::{
    Make, SigningKeyResource, create_signing_key, generate, import, make_key,
};
use beadle_common::resources::{self, Resource};

use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn generate_key(call: Call) -> Answer {
    create(call, generate).await
}

pub(super) async fn import_key(call: Call) -> Answer {
    create(call, import).await
}

async fn create(mut call: Call, make: Make) -> Answer {
    let given = call.id()?;
    let members = call.body().await?.into_members()?;
    let context = call.context();
    // On a thread that may take its time.
    let work = move || Ok((make_key(&members, make)?, members));
    let made = tokio::task::spawn_blocking(work).await;
    let made: Result<_, ApiError> = made.map_err(ApiError::internal)?;
    let (new, members) = made?;
    call.commit(move |connection| {
        let key = create_signing_key(connection, &context, given, &members, &new)?;
        Ok(Reply::wrapped(
            SigningKeyResource::NOUN,
            resources::show(&key),
        ))
    })
    .await
}
