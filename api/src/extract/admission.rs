//! Who of a batch may do what they ask for.

use beadle_common::db::{AnyConnection, DbError};
use beadle_common::id::TenantId;
use beadle_common::lifecycle::{KeyInUse, Remembered};
use beadle_common::unix_millis::UnixMillis;

use super::credentials::Credentials;
use crate::error::ApiError;
use crate::key_lookup::{KeyLookup, look_up};

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
    now: UnixMillis,
) -> Result<Vec<Result<Admission, ApiError>>, DbError> {
    let by_memory = |asking: &&Credentials| {
        let query = asking.query();
        let has_tenant = |tenant| remembered.has_tenant(tenant, now);
        let found = KeyLookup {
            key: Some(remembered.key(query.hash(), now)?),
            tenant_exists: query.tenant().is_some_and(has_tenant),
        };
        judge(asking, found).ok()
    };
    let admitted: Vec<Option<Admission>> = credentials.iter().map(by_memory).collect();
    let strangers = credentials.iter().zip(&admitted);
    let strangers = strangers.filter_map(|(asking, admitted)| admitted.is_none().then_some(asking));
    let strangers: Vec<&Credentials> = strangers.copied().collect();
    let queries = strangers.iter().map(|asking| asking.query());
    let found = look_up(connection, queries, |connection, hashes| {
        remembered.look_up_keys(connection, hashes, now)
    })?;
    let mut looked_up = strangers.into_iter().zip(found);
    let verdict = |admitted: Option<Admission>| {
        let missing = || ApiError::internal("a look-up without an answer");
        admitted.map_or_else(
            || {
                let (asking, found) = looked_up.next().ok_or_else(missing)?;
                judge(asking, found)
            },
            Ok,
        )
    };
    Ok(admitted.into_iter().map(verdict).collect())
}

fn judge(credentials: &Credentials, found: KeyLookup) -> Result<Admission, ApiError> {
    let key = found.key.clone().ok_or(ApiError::Unauthorized)?;
    let (_, scope) = credentials.judge(found)?;
    Ok(Admission { scope, key })
}
