//! What wrong passwords lead to: at the tenant's limit the user is locked out by an action of
//! the system, and a new password lifts it.

use serde_json::{Map, Value};

use super::system::{SystemStep, prepare_by_system};
use super::{Call, Change, Conflict, Refusal, Setup, commit};
use crate::db::{AnyConnection, DbError, QueryResult};
use crate::id::{UserActionId, UserId};
use crate::model::action_log::ActionLog;
use crate::model::failed_login::FailedLogins;
use crate::model::lockout::Lockout;
use crate::model::tenant::Tenant;
use crate::model::user::User;
use crate::unix_millis::UnixMillis;

/// A tenant's configuration that locks users out.
#[derive(Debug, Clone)]
pub struct LockoutPolicy {
    lockout: Lockout,
    definition: UserActionId,
}

impl LockoutPolicy {
    /// The policy of the user's tenant, if it has one that names an action.
    pub fn of(connection: &mut AnyConnection, user: &User) -> QueryResult<Option<Self>> {
        let tenant = Tenant::find(connection, user.tenant_id)?;
        let lockout = tenant.and_then(|tenant| tenant.lockout());
        Ok(lockout.and_then(|lockout| {
            let definition = lockout.user_action_id?;
            Some(Self {
                lockout,
                definition,
            })
        }))
    }
}

/// What follows from one more wrong password. The lock of the row keeps processes from
/// counting past each other.
pub fn count_failed_login(
    connection: &mut AnyConnection,
    user: UserId,
    policy: &LockoutPolicy,
    now: UnixMillis,
) -> QueryResult<Option<SystemStep>> {
    let expiry = policy.lockout.expiry(now);
    if !User::lock(connection, user)? {
        return Ok(None);
    }
    if let Some(log) = ActionLog::lock_of(connection, user, policy.definition, now)? {
        let log = Box::new(log);
        return Ok(Some(SystemStep::Prolong { log, expiry }));
    }
    let failures = FailedLogins::add(connection, user, now, policy.lockout.window())?;
    let is_too_many = failures >= i64::from(policy.lockout.too_many_attempts);
    Ok(is_too_many.then_some(SystemStep::Lock {
        user,
        definition: policy.definition,
        expiry,
        email_user: policy.lockout.email_user,
    }))
}

/// Writes what [`prepare_lockout`] built, unless another process has locked the user out in the
/// meantime.
///
/// # Errors
/// [`Conflict::Changed`] if another failure, or a change of the log, came first.
pub fn commit_lockout(
    connection: &mut AnyConnection,
    user: UserId,
    policy: &LockoutPolicy,
    is_new: bool,
    now: UnixMillis,
    change: Change,
) -> Result<Option<Change>, Conflict> {
    if !is_new {
        return commit(connection, change).map(Some);
    }
    if !User::lock(connection, user)?
        || ActionLog::lock_of(connection, user, policy.definition, now)?.is_some()
    {
        return Ok(None);
    }
    FailedLogins::clear(connection, user)?;
    commit(connection, change).map(Some)
}

/// Forgets the wrong passwords of a user who has got a new one, and lifts the lock if the
/// tenant wants that. Within the caller's transaction, so that nobody with a new password
/// stays locked out. True: there is something to deliver.
///
/// # Errors
/// [`Conflict::Changed`] if the log was changed in between.
pub fn lift_lockout(
    connection: &mut AnyConnection,
    setup: &Setup,
    user: &User,
    now: UnixMillis,
    info: Map<String, Value>,
) -> Result<bool, Conflict> {
    FailedLogins::clear(connection, user.id)?;
    let policy = LockoutPolicy::of(connection, user)?;
    let Some(policy) =
        policy.filter(|policy| policy.lockout.action_cancel_policy.on_password_reset)
    else {
        return Ok(false);
    };
    let Some(log) = ActionLog::lock_of(connection, user.id, policy.definition, now)? else {
        return Ok(false);
    };
    let step = SystemStep::Lift {
        log: Box::new(log),
        email_user: policy.lockout.email_user,
    };
    let Some(change) = prepare_lockout(connection, setup, now, info, &step)? else {
        return Ok(false);
    };
    commit(connection, change).map(|change| change.leaves_work())
}

/// Builds what a step of a lockout writes. None: there is nothing to do any more.
pub fn prepare_lockout(
    connection: &mut AnyConnection,
    setup: &Setup,
    now: UnixMillis,
    info: Map<String, Value>,
    step: &SystemStep,
) -> Result<Option<Change>, DbError> {
    // Nobody in particular calls, and the events are always raised.
    let call = Call {
        now,
        scope: None,
        broadcast: true,
        info,
    };
    match prepare_by_system(connection, setup, &call, step) {
        Ok(change) => Ok(change),
        Err(Refusal::Database(error)) => Err(error),
        // No rule of a request applies: there is none.
        Err(Refusal::NotFound | Refusal::Invalid(_)) => Ok(None),
    }
}
