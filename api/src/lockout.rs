//! What wrong passwords lead to: they are counted, at the tenant's limit the user is locked
//! out by an action, and a new password makes up for them.
//!
//! A wrong password is counted after it has been answered. How long that takes depends on the
//! user, so before the answer it would tell a stranger who exists.

use actix_web::web::Data;
use beadle_common::db::AnyConnection;
use beadle_common::id::{UserActionId, UserId};
use beadle_common::lifecycle::{
    Call, Change, Conflict, Refusal, Setup, SystemStep, commit, prepare_by_system,
};
use beadle_common::model::action_log::ActionLog;
use beadle_common::model::failed_login::FailedLogins;
use beadle_common::model::lockout::Lockout;
use beadle_common::model::tenant::Tenant;
use beadle_common::model::user::User;
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::state::State;

/// A tenant's configuration that locks users out.
#[derive(Clone)]
struct Policy {
    lockout: Lockout,
    definition: UserActionId,
}

impl Policy {
    fn of(connection: &mut AnyConnection, user: &User) -> Result<Option<Self>, ApiError> {
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

/// A call of nobody in particular. Its events are raised always.
fn call(now: UnixMillis, info: Map<String, Value>) -> Call {
    Call {
        now,
        scope: None,
        broadcast: true,
        info,
    }
}

/// Has a wrong password counted, if there is such a user.
///
/// # Errors
/// [`ApiError::Busy`] when too many are being counted, whether there is such a user or not.
pub(crate) async fn record_failed_login(
    state: &Data<State>,
    user: Option<User>,
    now: UnixMillis,
    info: Map<String, Value>,
) -> Result<(), ApiError> {
    let room = state.failures.room().await?;
    let Some(user) = user else {
        return Ok(());
    };
    let counting = state.failures.begin(user.id, room);
    let counted = state.clone();
    state.background.go_on(async move {
        if let Err(error) = count_failure(&counted, &user, now, info).await {
            error.log();
        }
        drop(counting);
    });
    Ok(())
}

/// Counts a wrong password, and locks the user out if that makes too many of them. Somebody
/// who is locked out already is so for longer.
async fn count_failure(
    state: &Data<State>,
    user: &User,
    now: UnixMillis,
    info: Map<String, Value>,
) -> Result<(), ApiError> {
    let (id, of) = (user.id, user.clone());
    let policy = state
        .read(move |connection| Policy::of(connection, &of))
        .await?;
    let Some(policy) = policy else {
        return Ok(());
    };
    let counted = policy.clone();
    let step = state
        .write(move |connection| count(connection, id, &counted, now))
        .await?;
    let Some(step) = step else {
        return Ok(());
    };
    let setup = state.setup.clone();
    let is_new = matches!(step, SystemStep::Lock { .. });
    let change = state
        .read(move |connection| prepare(connection, &setup, &call(now, info), &step))
        .await?;
    let Some(change) = change else {
        return Ok(());
    };
    let written = state.db.write(move |connection| match is_new {
        true => lock(connection, id, policy.definition, now, change),
        false => commit(connection, change).map(Some),
    });
    match written.await {
        Ok(Some(change)) if change.leaves_work() => state.wake.wake(),
        // Changed: another failure, or somebody who lifts the lock, was there first.
        Ok(_) | Err(Conflict::Changed) => {}
        Err(Conflict::Database(error)) => return Err(error.into()),
    }
    Ok(())
}

/// What follows from one more wrong password. The lock of the row keeps processes from
/// counting past each other.
fn count(
    connection: &mut AnyConnection,
    user: UserId,
    policy: &Policy,
    now: UnixMillis,
) -> Result<Option<SystemStep>, ApiError> {
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

/// Writes a lock, unless another process has just done so.
fn lock(
    connection: &mut AnyConnection,
    user: UserId,
    definition: UserActionId,
    now: UnixMillis,
    change: Change,
) -> Result<Option<Change>, Conflict> {
    if !User::lock(connection, user)?
        || ActionLog::lock_of(connection, user, definition, now)?.is_some()
    {
        return Ok(None);
    }
    FailedLogins::clear(connection, user)?;
    commit(connection, change).map(Some)
}

/// Forgets the wrong passwords of a user who has got a new one, and lifts the lock if the
/// tenant wants that. Within the caller's transaction, so that nobody with a new password
/// stays locked out. True: there is something to deliver.
pub(crate) fn lift_lockout(
    connection: &mut AnyConnection,
    setup: &Setup,
    user: &User,
    now: UnixMillis,
    info: Map<String, Value>,
) -> Result<bool, ApiError> {
    FailedLogins::clear(connection, user.id)?;
    let policy = Policy::of(connection, user)?;
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
    let Some(change) = prepare(connection, setup, &call(now, info), &step)? else {
        return Ok(false);
    };
    match commit(connection, change) {
        Ok(change) => Ok(change.leaves_work()),
        Err(Conflict::Changed) => Err(ApiError::Conflict),
        Err(Conflict::Database(error)) => Err(error.into()),
    }
}

fn prepare(
    connection: &mut AnyConnection,
    setup: &Setup,
    call: &Call,
    step: &SystemStep,
) -> Result<Option<Change>, ApiError> {
    match prepare_by_system(connection, setup, call, step) {
        Ok(change) => Ok(change),
        Err(Refusal::Database(error)) => Err(error.into()),
        // No rule of a request applies: there is none.
        Err(Refusal::NotFound | Refusal::Invalid(_)) => Ok(None),
    }
}
