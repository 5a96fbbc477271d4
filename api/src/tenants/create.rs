//! `POST /api/tenant[/{tenantId}]`

use beadle_common::resources::tenants::{TenantResource, create_tenant};
use beadle_common::resources::{self, Resource};

use crate::answer::{Answer, Reply};
use crate::extract::Call;

pub(super) async fn create(mut call: Call) -> Answer {
    let given = call.id()?;
    let members = call.body().await?.into_members()?;
    let context = call.context();
    call.commit(move |connection| {
        let tenant = create_tenant(connection, &context, given, &members)?;
        Ok(Reply::wrapped(
            TenantResource::NOUN,
            resources::show(&tenant),
        ))
    })
    .await
}
