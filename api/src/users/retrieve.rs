//! `GET /api/user/{userId}`, and by `email`, `username` or `loginId`.

use beadle_common::db::AnyConnection;
use beadle_common::id::{TenantId, UserId};
use beadle_common::model::registration::Registration;
use beadle_common::model::user::User;
use beadle_common::view::{self, Absent, View};

use super::find::find;
use super::{ENDPOINT, WRAPPER};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Call, tenant_of};

pub(super) async fn retrieve_user(call: Call) -> Answer {
    let id: Option<UserId> = call.id()?;
    let scope = call.scope();
    let user = match id {
        Some(id) => {
            call.state()
                .read(move |connection| {
                    let user = find(connection, id, scope)?;
                    show(connection, &user)
                })
                .await?
        }
        None => {
            let name =
                Name::asked(&call).ok_or_else(|| ApiError::field(Prefix::Missing, ENDPOINT.id))?;
            call.state()
                .read(move |connection| {
                    let user = name.find(connection, scope)?;
                    show(connection, &user)
                })
                .await?
        }
    };
    Ok(answer::wrapped(WRAPPER, user))
}

/// The user as the API returns it.
pub(crate) fn show(connection: &mut AnyConnection, user: &User) -> Result<View, ApiError> {
    let registrations = Registration::of_user(connection, user.id)?;
    Ok(view::registered_user(user, &registrations, Absent::Omit))
}

/// What a user may be called instead of an Id.
enum Name {
    Email(String),
    Username(String),
    /// Either.
    LoginId(String),
}

impl Name {
    fn asked(call: &Call) -> Option<Self> {
        let text = |name| call.query().text(name).map(str::to_owned);
        text("email")
            .map(Self::Email)
            .or_else(|| text("username").map(Self::Username))
            .or_else(|| text("loginId").map(Self::LoginId))
    }

    fn find(
        &self,
        connection: &mut AnyConnection,
        scope: Option<TenantId>,
    ) -> Result<User, ApiError> {
        let tenant = tenant_of(connection, scope)?;
        let user = match self {
            Self::Email(email) => User::find_by_email(connection, tenant, email)?,
            Self::Username(username) => User::find_by_username(connection, tenant, username)?,
            Self::LoginId(name) => match User::find_by_email(connection, tenant, name)? {
                Some(user) => Some(user),
                None => User::find_by_username(connection, tenant, name)?,
            },
        };
        user.ok_or(ApiError::NotFound)
    }
}
