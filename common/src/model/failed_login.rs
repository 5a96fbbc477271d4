//! Wrong passwords of late: what a tenant's lockout counts.

use std::time::Duration;

use diesel::prelude::*;

use crate::db::AnyConnection;
use crate::id::{FailedLoginId, UserId};
use crate::schema::failed_logins;
use crate::unix_millis::UnixMillis;

/// Functions over the wrong passwords of one user.
#[derive(Debug, Clone, Copy)]
pub struct FailedLogins;

impl FailedLogins {
    /// Adds one, forgets those that are older than `window`, and says how many there are.
    /// The caller holds the lock of the user's row, so that no two count the same.
    pub fn add(
        connection: &mut AnyConnection,
        user: UserId,
        now: UnixMillis,
        window: Duration,
    ) -> QueryResult<i64> {
        let of_user = || failed_logins::table.filter(failed_logins::user_id.eq(user));
        diesel::delete(of_user().filter(failed_logins::instant.le(now.minus(window))))
            .execute(connection)?;
        diesel::insert_into(failed_logins::table)
            .values((
                failed_logins::id.eq(FailedLoginId::sequential()),
                failed_logins::user_id.eq(user),
                failed_logins::instant.eq(now),
            ))
            .execute(connection)?;
        of_user().count().get_result(connection)
    }

    /// Whether there are any.
    pub fn exist(connection: &mut AnyConnection, user: UserId) -> QueryResult<bool> {
        let of_user = failed_logins::table.filter(failed_logins::user_id.eq(user));
        diesel::select(diesel::dsl::exists(of_user)).get_result(connection)
    }

    /// Forgets all of them.
    pub fn clear(connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
        diesel::delete(failed_logins::table.filter(failed_logins::user_id.eq(user)))
            .execute(connection)?;
        Ok(())
    }
}
