//! A user by Id, within the scope of whoever asks.

use beadle_common::db::AnyConnection;
use beadle_common::id::{TenantId, UserId};
use beadle_common::model::user::User;

use crate::error::ApiError;

/// The user, who does not exist for those who may only look at another tenant.
pub(crate) fn find(
    connection: &mut AnyConnection,
    id: UserId,
    scope: Option<TenantId>,
) -> Result<User, ApiError> {
    visible(User::find(connection, id)?, scope)
}

/// The same, kept from other changes until the transaction ends.
pub(super) fn find_for_update(
    connection: &mut AnyConnection,
    id: UserId,
    scope: Option<TenantId>,
) -> Result<User, ApiError> {
    visible(User::find_for_update(connection, id)?, scope)
}

/// The same, about to be deleted.
pub(super) fn find_for_delete(
    connection: &mut AnyConnection,
    id: UserId,
    scope: Option<TenantId>,
) -> Result<User, ApiError> {
    visible(User::find_for_delete(connection, id)?, scope)
}

fn visible(user: Option<User>, scope: Option<TenantId>) -> Result<User, ApiError> {
    user.filter(|user| scope.is_none_or(|tenant| tenant == user.tenant_id))
        .ok_or(ApiError::NotFound)
}
