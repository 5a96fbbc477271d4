//! Tenants: `/api/tenant`.

mod create;
mod delete;
mod description;
mod references;
mod update;

#[cfg(test)]
mod erasure_tests;
#[cfg(test)]
mod further_tests;
#[cfg(test)]
mod secrecy_tests;
#[cfg(test)]
mod tests;

pub(crate) use beadle_common::resources::check_tenant_ids as read_tenant_ids;

use beadle_common::resources::tenants::TenantResource;

use crate::description::Section;
use crate::extract::{Access, Endpoint};
use crate::resource::{retrieve, search};

const ENDPOINT: Endpoint = Endpoint {
    path: "/api/tenant",
    access: Access::Tenants,
    id: "tenantId",
};

/// A search reads, whatever the method: a locked key finds its own tenant.
const SEARCH: Endpoint = Endpoint {
    path: "/api/tenant/search",
    access: Access::SharedReading,
    id: "",
};

pub(crate) fn routes() -> Section {
    Section::new("Tenants", "Communities of users.")
        .with(
            SEARCH
                .routes()
                .get(search::<TenantResource>, description::SEARCH)
                .post(search::<TenantResource>, description::SEARCH),
        )
        .with(
            ENDPOINT
                .routes()
                .post(create::create, description::CREATE)
                .get(retrieve::<TenantResource>, description::RETRIEVE)
                .put(update::update, description::UPDATE)
                .patch(update::update, description::PATCH)
                .delete(delete::delete, description::DELETE),
        )
}
