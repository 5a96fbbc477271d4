//! `POST /api/user/registration[/{userId}]`: registers a user, who may be made by the same
//! request.

use std::collections::BTreeMap;

use beadle_common::db::AnyConnection;
use beadle_common::id::{TenantId, UserId};
use beadle_common::model::registration::Registration;
use beadle_common::model::user::User;
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{self, Absent};
use serde_json::{Map, Value};

use super::input::{check_size, read_application, read_registration};
use super::{APPLICATION, ENDPOINT, WRAPPER};
use crate::answer::{Answer, Reply};
use crate::applications::tenant_by;
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::Call;
use crate::input::Object;
use crate::users::{self, Hashed, Identity, New, hash_offered};

const USER: &str = "user";

pub(super) async fn register(mut call: Call) -> Answer {
    let given: Option<UserId> = call.id()?;
    let body = call.body().await;
    let members = body?.into_members()?;
    let hashed = hash_offered(&call.state().hashing, &members).await?;
    let request = Request {
        given,
        id: given.unwrap_or_else(UserId::random),
        scope: call.scope(),
        now: call.now(),
        members,
        hashed,
    };
    call.commit(move |connection| request.carry_out(connection))
        .await
}

#[derive(Clone)]
struct Request {
    given: Option<UserId>,
    /// `given`, or that of a new user.
    id: UserId,
    scope: Option<TenantId>,
    now: UnixMillis,
    members: Map<String, Value>,
    hashed: Option<Hashed>,
}

impl Request {
    fn carry_out(&self, connection: &mut AnyConnection) -> Result<Reply, ApiError> {
        let errors = Collector::new();
        let body = Object::root(&self.members, &errors);
        let object = body.required_object(WRAPPER);
        let user = self.user(connection, &body, object.as_ref())?;
        let registration = match (&object, &user) {
            (Some(object), user) => self.registration(connection, object, user.as_ref())?,
            (None, _) => None,
        };
        errors.finish()?;
        let (Some((user, is_new)), Some(registration)) = (user, registration) else {
            return Err(ApiError::internal("a registration without a user"));
        };
        if is_new {
            user.insert(connection)?;
        }
        registration.insert(connection)?;
        let user = users::show(connection, &user)?;
        let registration = view::registration(&registration, Absent::Omit);
        Ok(Reply::json(&BTreeMap::from([
            (USER, user),
            (WRAPPER, registration),
        ])))
    }

    /// The user of the request, and whether it is a new one.
    fn user(
        &self,
        connection: &mut AnyConnection,
        body: &Object<'_>,
        registration: Option<&Object<'_>>,
    ) -> Result<Option<(User, bool)>, ApiError> {
        if let Some(object) = body.object(USER) {
            let application = registration.and_then(|object| object.id(APPLICATION));
            let new = New {
                identity: Identity {
                    id: self.id,
                    tenant: tenant_by(connection, self.scope, application)?,
                },
                given: self.given.is_some(),
                now: self.now,
            };
            let user = new.describe(connection, body, &object, self.hashed.as_ref())?;
            return Ok(Some((user, true)));
        }
        let Some(id) = self.given else {
            if body.errors().accepts(USER) {
                body.refuse(Prefix::Missing, USER);
            }
            return Ok(None);
        };
        match users::find(connection, id, self.scope) {
            Ok(user) => Ok(Some((user, false))),
            Err(ApiError::NotFound) => {
                body.errors().refuse(Prefix::Invalid, ENDPOINT.id);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn registration(
        &self,
        connection: &mut AnyConnection,
        object: &Object<'_>,
        user: Option<&(User, bool)>,
    ) -> Result<Option<Registration>, ApiError> {
        let tenant = user.map(|(user, _)| user.tenant_id).or(self.scope);
        let Some(application) = read_application(connection, object, tenant)? else {
            return Ok(None);
        };
        if Registration::find_for(connection, self.id, application.id)?.is_some() {
            object.errors().refuse_because(
                Prefix::Duplicate,
                WRAPPER,
                format!("the user is already registered for `{}`", application.name),
            );
        }
        let registration = read_registration(object, self.id, &application, self.now);
        check_size(connection, object, &registration)?;
        Ok(Some(registration))
    }
}
