//! What a client asks of an action, and what is wrong with it. Most rules are those of the life
//! cycle; here its broken rules get the paths and codes of the API, beside what could not be
//! read.

use beadle_common::db::AnyConnection;
use beadle_common::id::{ActionLogId, TenantId};
use beadle_common::lifecycle::{self, Change, Common, Field, Problem, Refusal, Violation};
use beadle_common::model::action_log::ActionLog;
use serde_json::{Map, Value};

use super::WRAPPER;
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::{Call, Origin, UnauthenticatedCall};
use crate::input::{Body, Object};
use crate::state::State;

const LONGEST_COMMENT: usize = 65_535;

/// What every request for a change carries beside its own members.
#[derive(Debug, Clone)]
pub(super) struct Request {
    body: Result<Body, ApiError>,
    scope: Option<TenantId>,
    origin: Origin,
}

impl Request {
    pub(super) async fn read(call: &mut Call) -> Self {
        Self {
            body: call.body().await,
            scope: call.scope(),
            origin: call.origin(),
        }
    }

    /// The same before anybody knows which tenant the key is limited to.
    pub(super) async fn read_unauthenticated(unauthenticated: &mut UnauthenticatedCall) -> Self {
        Self {
            body: unauthenticated.body().await,
            scope: None,
            origin: unauthenticated.origin(),
        }
    }

    /// The same, limited to a tenant.
    pub(super) fn within(mut self, scope: Option<TenantId>) -> Self {
        self.scope = scope;
        self
    }

    /// The members of the body.
    pub(super) fn members(&self) -> Result<&Map<String, Value>, ApiError> {
        self.body.as_ref().map_err(Clone::clone)?.members()
    }

    /// The same for a log that is addressed: whether it exists is said first.
    pub(super) fn members_for(
        &self,
        connection: &mut AnyConnection,
        id: ActionLogId,
    ) -> Result<&Map<String, Value>, ApiError> {
        match self.members() {
            Ok(members) if members.get(WRAPPER).is_some_and(Value::is_object) => Ok(members),
            unusable => {
                find(connection, id, self.scope)?;
                unusable
            }
        }
    }

    /// What the life cycle needs to know of the call as a whole. The clock is read when the
    /// work begins: the body may have come long after the head of the request.
    pub(super) fn call(&self, body: &Object<'_>, state: &State) -> lifecycle::Call {
        lifecycle::Call {
            now: (state.clock)(),
            scope: self.scope,
            broadcast: body.flag("broadcast", false),
            info: read_info(body, &self.origin),
        }
    }
}

/// The log, which does not exist for those who may only look at another tenant.
pub(super) fn find(
    connection: &mut AnyConnection,
    id: ActionLogId,
    scope: Option<TenantId>,
) -> Result<ActionLog, ApiError> {
    ActionLog::find(connection, id)?
        .filter(|log| scope.is_none_or(|tenant| tenant == log.tenant_id))
        .ok_or(ApiError::NotFound)
}

/// The object that the request is about, or why there is none.
pub(super) fn action<'a>(body: &Object<'a>) -> Result<Object<'a>, ApiError> {
    match body.required_object(WRAPPER) {
        Some(action) => Ok(action),
        None if body.value(WRAPPER).is_some() => Err(ApiError::field(Prefix::InvalidJson, WRAPPER)),
        None => Err(ApiError::field(Prefix::Missing, WRAPPER)),
    }
}

/// The members that all phases share.
pub(super) fn read_common(action: &Object<'_>) -> Common {
    Common {
        actioner_user_id: action.id("actionerUserId"),
        comment: action.long_text("comment", LONGEST_COMMENT),
        email_user: action.flag("emailUser", false),
        notify_user: action.flag("notifyUser", false),
    }
}

/// `event.info`: what the server knows of the caller, overridden by what the caller says
/// of somebody behind it.
pub(crate) fn read_info(body: &Object<'_>, origin: &Origin) -> Map<String, Value> {
    const TEXTS: [&str; 6] = [
        "deviceDescription",
        "deviceName",
        "deviceType",
        "ipAddress",
        "os",
        "userAgent",
    ];
    const OBJECTS: [&str; 2] = ["data", "location"];
    let mut info = Map::new();
    if let Some(address) = origin.address() {
        info.insert("ipAddress".to_owned(), Value::String(address));
    }
    let Some(given) = body.object("eventInfo") else {
        return info;
    };
    let texts = TEXTS
        .iter()
        .filter_map(|name| Some((*name, Value::String(given.text(name)?))));
    let objects = OBJECTS
        .iter()
        .filter_map(|name| Some((*name, Value::Object(given.object(name)?.members().clone()))));
    info.extend(
        texts
            .chain(objects)
            .map(|(name, value)| (name.to_owned(), value)),
    );
    info
}

/// Lets a prepared change pass, or refuses with everything that is wrong: what could not
/// be read, and the rules that are broken. `applications` are the paths of the
/// applications that were read.
pub(super) fn judge(
    prepared: Result<Change, Refusal>,
    errors: Collector,
    applications: &[String],
) -> Result<Change, ApiError> {
    match prepared {
        Ok(change) => Ok(errors.finish().map(|()| change)?),
        Err(Refusal::NotFound) => Err(ApiError::NotFound),
        Err(Refusal::Database(error)) => Err(error.into()),
        Err(Refusal::Invalid(violations)) => {
            for violation in violations {
                report(&errors, violation, applications);
            }
            errors.finish()?;
            Err(ApiError::internal("a refusal without a reason"))
        }
    }
}

fn report(errors: &Collector, violation: Violation, applications: &[String]) {
    let path = match violation.field {
        Field::ActionId => super::ENDPOINT.id,
        Field::ActioneeUserId => "action.actioneeUserId",
        Field::ActionerUserId => "action.actionerUserId",
        Field::UserActionId => "action.userActionId",
        Field::Expiry => "action.expiry",
        Field::Option => "action.option",
        Field::ReasonId => "action.reasonId",
        Field::ApplicationId(position) => applications
            .get(position)
            .map_or("action.applicationIds", String::as_str),
    };
    // What could not be read is not missing as well.
    if errors.accepts(path) {
        let prefix = match violation.problem {
            Problem::Missing => Prefix::Missing,
            Problem::Invalid => Prefix::Invalid,
            Problem::Inactive => Prefix::Inactive,
        };
        errors.refuse_because(prefix, path, violation.message);
    }
}
