//! What a client may say of an action. Most rules are those of the life cycle; here its
//! broken rules get the paths and codes of the API, beside what could not be read.

use beadle_common::lifecycle::{Change, Common, Field, Problem, Refusal, Violation};
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::Origin;
use crate::input::Object;

const LONGEST_COMMENT: usize = 65_535;

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
