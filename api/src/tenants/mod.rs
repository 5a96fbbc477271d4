//! Tenants: `/api/tenant`.

mod create;
mod delete;
mod description;
mod email_configuration;
mod event_configuration;
mod failed_authentication;
mod input;
mod password;
mod references;
mod retrieve;
mod search;
mod source;
mod update;
mod view;
mod webhook_ids;

#[cfg(test)]
mod erasure_tests;
#[cfg(test)]
mod further_tests;
#[cfg(test)]
mod secrecy_tests;
#[cfg(test)]
mod tests;

pub(crate) use beadle_common::resources::check_tenant_ids as read_tenant_ids;

use crate::description::Section;
use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "tenant";
/// Members that FusionAuth does not have.
const OWN: [&str; 3] = [
    "/tenant/emailConfiguration/dkim",
    "/tenant/emailConfiguration/listUnsubscribe",
    "/tenant/emailConfiguration/rateLimit",
];
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
                .get(search::search_tenants, description::SEARCH)
                .post(search::search_tenants, description::SEARCH),
        )
        .with(
            ENDPOINT
                .routes()
                .post(create::create_tenant, description::CREATE)
                .get(retrieve::retrieve_tenants, description::RETRIEVE)
                .put(update::update_tenant, description::UPDATE)
                .patch(update::update_tenant, description::PATCH)
                .delete(delete::delete_tenant, description::DELETE),
        )
}
