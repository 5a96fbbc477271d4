//! Applications, what actions can be limited to: `/api/application`.

mod create;
mod delete;
mod input;
mod retrieve;
mod update;

#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};
use beadle_common::db::AnyConnection;
use beadle_common::id::{ApplicationId, TenantId};
use beadle_common::model::application::Application;

use crate::error::ApiError;
use crate::extract::{Access, Endpoint, tenant_of};

const WRAPPER: &str = "application";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/application",
    access: Access::OfTenant,
    id: "applicationId",
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        ENDPOINT
            .resource()
            .route(web::post().to(create::create_application))
            .route(web::get().to(retrieve::retrieve_applications))
            .route(web::put().to(update::update_application))
            .route(web::patch().to(update::update_application))
            .route(web::delete().to(delete::delete_application)),
    );
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
    Application::find(connection, id)?
        .filter(|application| scope.is_none_or(|tenant| tenant == application.tenant_id))
        .ok_or(ApiError::NotFound)
}
