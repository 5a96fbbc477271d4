//! Registrations of users for applications: `/api/user/registration`.

mod create;
mod delete;
mod description;
mod input;
mod retrieve;
mod update;

#[cfg(test)]
mod tests;

use beadle_common::db::AnyConnection;
use beadle_common::id::{ApplicationId, TenantId, UserId};
use beadle_common::model::registration::Registration;

use crate::description::Section;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Access, Call, Endpoint};
use crate::input::parse_id;
use crate::users;

const WRAPPER: &str = "registration";
const APPLICATION: &str = "applicationId";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/user/registration",
    access: Access::OfTenant,
    id: "userId",
};

pub(crate) fn routes() -> Section {
    Section::new("Registrations", "Which users belong to which applications.")
        .with(
            ENDPOINT
                .routes()
                .post(create::register, description::REGISTER)
                .put(update::update_registration, description::UPDATE)
                .patch(update::update_registration, description::PATCH),
        )
        .with(
            ENDPOINT
                .nested("/api/user/registration/{userId}/{applicationId}")
                .get(retrieve::retrieve_registration, description::RETRIEVE)
                .put(update::update_registration, description::UPDATE_NAMED)
                .patch(update::update_registration, description::PATCH_NAMED)
                .delete(delete::delete_registration, description::DELETE),
        )
}

/// The application in the path, if there is one.
fn application_in_path(call: &Call) -> Result<Option<ApplicationId>, ApiError> {
    match call.request().match_info().get(APPLICATION) {
        None | Some("") => Ok(None),
        Some(text) => match parse_id(text) {
            Some(id) => Ok(Some(id)),
            None => Err(ApiError::field(Prefix::CouldNotConvert, APPLICATION)),
        },
    }
}

fn required_application(call: &Call) -> Result<ApplicationId, ApiError> {
    application_in_path(call)?.ok_or_else(|| ApiError::field(Prefix::Missing, APPLICATION))
}

/// The registration, which does not exist for those who may only look at another tenant.
fn find(
    connection: &mut AnyConnection,
    user: UserId,
    application: ApplicationId,
    scope: Option<TenantId>,
) -> Result<Registration, ApiError> {
    let user = users::find(connection, user, scope)?;
    Registration::find_for(connection, user.id, application)?.ok_or(ApiError::NotFound)
}

/// The same, kept from other changes until the transaction ends.
fn find_for_update(
    connection: &mut AnyConnection,
    user: UserId,
    application: ApplicationId,
    scope: Option<TenantId>,
) -> Result<Registration, ApiError> {
    let found = find(connection, user, application, scope)?;
    Registration::find_for_update(connection, found.id)?.ok_or(ApiError::NotFound)
}
