//! Who of a batch may do what they ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beadle_common::db::{AnyConnection, DbError};
use beadle_common::id::TenantId;
use beadle_common::instant::Instant;
use beadle_common::lifecycle::{KeyInUse, Remembered};
use beadle_common::model::tenant::Tenant;

use super::credentials::Credentials;
use super::lookup::Found;
use crate::error::ApiError;

/// Somebody who may.
#[derive(Debug)]
pub(crate) struct Admission {
    /// The tenant that the request is limited to.
    pub(crate) scope: Option<TenantId>,
    /// Has to be right still when what is asked for is written.
    pub(crate) key: KeyInUse,
}

/// Judges each, in their order. Keys that were right lately are not looked up, unless the
/// request would have to be refused.
///
/// # Errors
/// That of the database.
pub(crate) fn admit(
    connection: &mut AnyConnection,
    remembered: &Remembered,
    credentials: &[&Credentials],
    now: Instant,
) -> Result<Vec<Result<Admission, ApiError>>, DbError> {
    let by_memory = |asking: &&Credentials| {
        let claim = asking.claim();
        let key = remembered.key(claim.hash(), now)?;
        let has_tenant = |tenant| remembered.has_tenant(tenant, now);
        judge(asking, key, claim.tenant().is_some_and(has_tenant)).ok()
    };
    let admitted: Vec<Option<Admission>> = credentials.iter().map(by_memory).collect();
    let strangers = credentials.iter().zip(&admitted);
    let strangers = strangers.filter_map(|(asking, admitted)| admitted.is_none().then_some(asking));
    let strangers: Vec<&Credentials> = strangers.copied().collect();
    let mut looked_up = look_up(connection, remembered, &strangers, now)?.into_iter();
    let verdict = |admitted: Option<Admission>| {
        let missing = || ApiError::internal("a look-up without an answer");
        admitted.map_or_else(|| looked_up.next().ok_or_else(missing)?, Ok)
    };
    Ok(admitted.into_iter().map(verdict).collect())
}

fn look_up(
    connection: &mut AnyConnection,
    remembered: &Remembered,
    credentials: &[&Credentials],
    now: Instant,
) -> Result<Vec<Result<Admission, ApiError>>, DbError> {
    if credentials.is_empty() {
        return Ok(Vec::new());
    }
    let claims = || credentials.iter().map(|asking| asking.claim());
    let hashes: BTreeSet<&[u8]> = claims().map(|claim| claim.hash()).collect();
    let hashes = hashes.into_iter().map(<[u8]>::to_vec).collect();
    let tenants: BTreeSet<TenantId> = claims().filter_map(|claim| claim.tenant()).collect();
    let keys = remembered.look_up_keys(connection, hashes, now)?;
    let keys: BTreeMap<&[u8], &KeyInUse> = keys
        .iter()
        .map(|in_use| (in_use.key.key_hash.as_slice(), in_use))
        .collect();
    let existing = Tenant::existing_among(connection, tenants.into_iter().collect())?;
    let verdict = |asking: &&Credentials| {
        let claim = asking.claim();
        let key = keys.get(claim.hash()).copied().cloned();
        let exists = claim.tenant().is_some_and(|id| existing.contains(&id));
        judge(asking, key.ok_or(ApiError::Unauthorized)?, exists)
    };
    Ok(credentials.iter().map(verdict).collect())
}

fn judge(
    credentials: &Credentials,
    key: KeyInUse,
    tenant_exists: bool,
) -> Result<Admission, ApiError> {
    let found = Found {
        key: Some(Arc::clone(&key.key)),
        tenant_exists,
    };
    let (_, scope) = credentials.judge(found)?;
    Ok(Admission { scope, key })
}
