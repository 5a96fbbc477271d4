//! `tenant.failedAuthenticationConfiguration`: what too many wrong passwords lead to.

use crate::db::AnyConnection;
use crate::id::UserActionId;
use crate::model::lockout::{CancelPolicy, DurationUnit, Lockout};
use crate::model::user_action::UserAction;

use crate::resources::error::ResourceError;
use crate::resources::input::Object;
use crate::resources::problem::Prefix;

/// Attempts at most: each of them is a row until it is too old to count.
const MOST_ATTEMPTS: i32 = 1000;

/// The configuration with everything filled in, if there is one.
pub(super) fn read_failed_authentication(
    connection: &mut AnyConnection,
    tenant: &Object<'_>,
) -> Result<Option<Lockout>, ResourceError> {
    let Some(given) = tenant.object(Lockout::MEMBER) else {
        return Ok(None);
    };
    let cancel = given.object("actionCancelPolicy");
    Ok(Some(Lockout {
        action_cancel_policy: CancelPolicy {
            on_password_reset: cancel.is_some_and(|cancel| cancel.flag("onPasswordReset", false)),
        },
        action_duration: positive(&given, "actionDuration", 3, i32::MAX),
        action_duration_unit: given
            .choice("actionDurationUnit")
            .unwrap_or(DurationUnit::Minutes),
        email_user: given.flag("emailUser", false),
        reset_count_in_seconds: positive(&given, "resetCountInSeconds", 60, i32::MAX),
        too_many_attempts: positive(&given, "tooManyAttempts", 5, MOST_ATTEMPTS),
        user_action_id: read_definition(connection, &given)?,
    }))
}

fn positive(object: &Object<'_>, member: &str, default: i32, most: i32) -> i32 {
    let Some(given) = object.integer(member) else {
        return default;
    };
    let number = i32::try_from(given).ok();
    match number.filter(|number| (1..=most).contains(number)) {
        Some(number) => number,
        None => {
            object.errors().refuse_because(
                Prefix::Invalid,
                &object.path(member),
                format!("`{given}` is not between 1 and {most}"),
            );
            default
        }
    }
}

/// The definition has to be one that can keep users out for a while. Which tenants it
/// serves is looked at when it is applied.
fn read_definition(
    connection: &mut AnyConnection,
    object: &Object<'_>,
) -> Result<Option<UserActionId>, ResourceError> {
    const MEMBER: &str = "userActionId";
    let Some(id) = object.id(MEMBER) else {
        return Ok(None);
    };
    let definition = UserAction::find(connection, id)?;
    if !definition.is_some_and(|definition| definition.locks()) {
        object.errors().refuse_because(
            Prefix::Invalid,
            &object.path(MEMBER),
            format!("`{id}` is no user action that is temporal and prevents login"),
        );
    }
    Ok(Some(id))
}
