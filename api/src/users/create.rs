//! `POST /api/user[/{userId}]`

use beadle_common::db::AnyConnection;
use beadle_common::id::UserId;
use beadle_common::model::user::User;
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{self, Absent};
use serde_json::{Map, Value};

use super::input::{Identity, read_user};
use super::password::{Hashed, hash_of, hash_offered};
use super::{ENDPOINT, WRAPPER};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Call, tenant_of};
use crate::input::{Object, read_wrapped};

pub(super) async fn create_user(mut call: Call) -> Answer {
    let given: Option<UserId> = call.id()?;
    let body = call.body().await;
    let members = body?.into_members()?;
    let hashed = hash_offered(&call.state().hashing, &members).await?;
    let (scope, now) = (call.scope(), call.now());
    let id = given.unwrap_or_else(UserId::random);
    call.commit(move |connection| {
        let tenant = tenant_of(connection, scope)?;
        let new = New {
            identity: Identity { id, tenant },
            given: given.is_some(),
            now,
        };
        let user = new.read(connection, &members, hashed.as_ref())?;
        user.insert(connection)?;
        Ok(Reply::wrapped(WRAPPER, view::user(&user, Absent::Omit)))
    })
    .await
}

/// A user to be.
pub(crate) struct New {
    pub(crate) identity: Identity,
    /// The Id comes from the client, so it may be in use.
    pub(crate) given: bool,
    pub(crate) now: UnixMillis,
}

impl New {
    fn read(
        &self,
        connection: &mut AnyConnection,
        members: &Map<String, Value>,
        hashed: Option<&Hashed>,
    ) -> Result<User, ApiError> {
        read_wrapped(members, WRAPPER, |object| {
            let body = Object::root(members, object.errors());
            self.describe(connection, &body, object, hashed)
        })
    }

    /// The user as the request describes it. Problems are reported to the object's
    /// collector; only if there are none is the user fit to be stored.
    pub(crate) fn describe(
        &self,
        connection: &mut AnyConnection,
        body: &Object<'_>,
        object: &Object<'_>,
        hashed: Option<&Hashed>,
    ) -> Result<User, ApiError> {
        let errors = object.errors();
        if self.given && User::exists(connection, self.identity.id)? {
            errors.refuse(Prefix::Duplicate, ENDPOINT.id);
        }
        let (mut user, password) = read_user(connection, object, self.identity, self.now)?;
        let password_later = body.flag("sendSetPasswordEmail", false);
        let is_fit = errors.accepts(&object.path("password"));
        match password {
            Some(password) if is_fit => {
                user.password_hash = Some(hash_of(&password, hashed)?);
                user.password_last_update_instant = Some(self.now);
            }
            None if is_fit && !password_later => object.refuse(Prefix::Blank, "password"),
            _ => {}
        }
        Ok(user)
    }
}
