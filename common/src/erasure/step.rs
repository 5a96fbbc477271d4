//! One transaction of an erasure.

use diesel::prelude::*;

use super::Erasure;
use crate::db::AnyConnection;
use crate::id::{ApplicationId, TenantId, UserId};
use crate::model::audit_log::AuditLog;
use crate::model::erased::Kind;
use crate::outbox::{
    Budget, EraseError, erase_mails_to_addresses, erase_of_user, lock_user, lock_users_of,
    mail_destination,
};
use crate::schema::{applications, destination_states, erasures, suppressions, tenants, users};
use crate::unix_millis::UnixMillis;

/// What a transaction has left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more.
    More,
    /// Somebody else holds what is left.
    Held,
    /// Nothing is left.
    Done,
}

/// Erases one batch. Several processes may do so at once: each takes users that no other has.
pub(super) fn step(
    connection: &mut AnyConnection,
    erasure: &Erasure,
    now: UnixMillis,
) -> Result<Step, EraseError> {
    let begun = erasures::table.find((erasure.kind, erasure.id));
    if !diesel::select(diesel::dsl::exists(begun)).get_result(connection)? {
        return Ok(Step::Done);
    }
    let step = match erasure.kind {
        Kind::User => user(connection, (*erasure).into(), now)?,
        Kind::Tenant => users_of_tenant(connection, (*erasure).into(), now)?,
    };
    if step == Step::Done {
        diesel::delete(erasures::table.find((erasure.kind, erasure.id))).execute(connection)?;
    }
    Ok(step)
}

fn user(connection: &mut AnyConnection, user: UserId, now: UnixMillis) -> Result<Step, EraseError> {
    if !lock_user(connection, user)? {
        let exists = diesel::select(diesel::dsl::exists(users::table.find(user)));
        return Ok(match exists.get_result(connection)? {
            true => Step::Held,
            false => Step::Done,
        });
    }
    let mut budget = Budget::BATCH;
    erase_of_user(connection, user, &mut budget, now)?;
    if budget.is_spent() {
        return Ok(Step::More);
    }
    diesel::delete(users::table.find(user)).execute(connection)?;
    Ok(Step::Done)
}

fn users_of_tenant(
    connection: &mut AnyConnection,
    tenant: TenantId,
    now: UnixMillis,
) -> Result<Step, EraseError> {
    let mut budget = Budget::BATCH;
    let locked = lock_users_of(connection, tenant, budget.rows())?;
    if locked.is_empty() {
        let left = users::table.filter(users::tenant_id.eq(tenant));
        let left = diesel::select(diesel::dsl::exists(left)).get_result(connection)?;
        return match left {
            true => Ok(Step::Held),
            false => rest_of_tenant(connection, tenant, now),
        };
    }
    for user in locked {
        erase_of_user(connection, user, &mut budget, now)?;
        if budget.is_spent() {
            break;
        }
        diesel::delete(users::table.find(user)).execute(connection)?;
        budget.spend(1);
    }
    Ok(Step::More)
}

/// What is not any user's, and at last the tenant itself.
fn rest_of_tenant(
    connection: &mut AnyConnection,
    tenant: TenantId,
    now: UnixMillis,
) -> Result<Step, EraseError> {
    let mut budget = Budget::BATCH;
    erase_mails_to_addresses(connection, tenant, &mut budget, now)?;
    let addresses: Vec<String> = suppressions::table
        .filter(suppressions::tenant_id.eq(tenant))
        .limit(budget.rows())
        .select(suppressions::address_normalized)
        .load(connection)?;
    budget.spend(addresses.len());
    let of_tenant = suppressions::table.filter(suppressions::tenant_id.eq(tenant));
    diesel::delete(of_tenant.filter(suppressions::address_normalized.eq_any(addresses)))
        .execute(connection)?;
    let found: Vec<ApplicationId> = applications::table
        .filter(applications::tenant_id.eq(tenant))
        .limit(budget.rows())
        .select(applications::id)
        .load(connection)?;
    budget.spend(found.len());
    diesel::delete(applications::table.filter(applications::id.eq_any(found)))
        .execute(connection)?;
    budget.spend(AuditLog::forget_values_of(
        connection,
        tenant,
        budget.rows(),
    )?);
    if budget.is_spent() {
        return Ok(Step::More);
    }
    diesel::delete(destination_states::table.find(mail_destination(tenant))).execute(connection)?;
    diesel::delete(tenants::table.find(tenant)).execute(connection)?;
    Ok(Step::Done)
}
