//! `POST /api/user[/{userId}]`

use beadle_common::db::AnyConnection;
use beadle_common::id::UserId;
use beadle_common::instant::Instant;
use beadle_common::model::user::User;
use beadle_common::view::{self, Absent};
use serde_json::{Map, Value};

use super::input::{Identity, read_user};
use super::password::{Hashed, hash_of, hash_offered};
use super::{ENDPOINT, WRAPPER};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::{Call, tenant_of};
use crate::input::{Object, read_wrapped};

pub(super) async fn create_user(mut call: Call) -> Answer {
    let given: Option<UserId> = call.id()?;
    let body = call.body().await;
    let hashed = hash_offered(&body).await?;
    let members = body?.into_members()?;
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
struct New {
    identity: Identity,
    /// The Id comes from the client, so it may be in use.
    given: bool,
    now: Instant,
}

impl New {
    fn read(
        &self,
        connection: &mut AnyConnection,
        members: &Map<String, Value>,
        hashed: Option<&Hashed>,
    ) -> Result<User, ApiError> {
        let (mut user, password) = read_wrapped(members, WRAPPER, |object| {
            if self.given && User::exists(connection, self.identity.id)? {
                object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
            }
            let (user, password) = read_user(connection, object, self.identity, self.now)?;
            let password_later = flag(members, "sendSetPasswordEmail", object.errors());
            if password.is_none()
                && !password_later
                && object.errors().accepts(&object.path("password"))
            {
                object.refuse(Prefix::Blank, "password");
            }
            Ok((user, password))
        })?;
        if let Some(password) = password {
            user.password_hash = Some(hash_of(&password, hashed)?);
            user.password_last_update_instant = Some(self.now);
        }
        Ok(user)
    }
}

/// A yes or no beside the wrapper.
fn flag(members: &Map<String, Value>, name: &str, errors: &Collector) -> bool {
    Object::root(members, errors).flag(name, false)
}
