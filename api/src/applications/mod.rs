//! Applications, what actions can be limited to: `/api/application`.

mod create;
mod delete;
mod description;
mod input;
mod retrieve;
mod update;

#[cfg(test)]
mod tests;

use beadle_common::db::AnyConnection;
use beadle_common::id::{ApplicationId, TenantId};
use beadle_common::model::application::Application;

use crate::description::Section;
use crate::error::ApiError;
use crate::extract::{Access, Endpoint, tenant_of};

const WRAPPER: &str = "application";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/application",
    access: Access::OfTenant,
    id: "applicationId",
};

pub(crate) fn routes() -> Section {
    Section::new(
        "Applications",
        "What users log in to, and actions can be limited to.",
    )
    .with(
        ENDPOINT
            .routes()
            .post(create::create_application, description::CREATE)
            .get(retrieve::retrieve_applications, description::RETRIEVE)
            .put(update::update_application, description::UPDATE)
            .patch(update::update_application, description::PATCH)
            .delete(delete::delete_application, description::DELETE),
    )
}

/// The tenant of a call that names an application: the scope, or the application's.
///
/// # Errors
/// `[TenantIdRequired]` if neither says which of several it is.
pub(crate) fn tenant_by(
    connection: &mut AnyConnection,
    scope: Option<TenantId>,
    application: Option<ApplicationId>,
) -> Result<TenantId, ApiError> {
    if scope.is_none()
        && let Some(id) = application
        && let Some(application) = Application::find(connection, id)?
    {
        return Ok(application.tenant_id);
    }
    tenant_of(connection, scope)
}

/// The application, which does not exist for those who may only look at another tenant.
fn find(
    connection: &mut AnyConnection,
    id: ApplicationId,
    scope: Option<TenantId>,
) -> Result<Application, ApiError> {
    visible(Application::find(connection, id)?, scope)
}

/// The same, kept from other changes until the transaction ends.
fn find_for_update(
    connection: &mut AnyConnection,
    id: ApplicationId,
    scope: Option<TenantId>,
) -> Result<Application, ApiError> {
    visible(Application::find_for_update(connection, id)?, scope)
}

/// The same, about to be deleted.
fn find_for_delete(
    connection: &mut AnyConnection,
    id: ApplicationId,
    scope: Option<TenantId>,
) -> Result<Application, ApiError> {
    visible(Application::find_for_delete(connection, id)?, scope)
}

fn visible(
    application: Option<Application>,
    scope: Option<TenantId>,
) -> Result<Application, ApiError> {
    application
        .filter(|application| scope.is_none_or(|tenant| tenant == application.tenant_id))
        .ok_or(ApiError::NotFound)
}
