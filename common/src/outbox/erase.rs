//! Erase: what was written about users, or to them, goes, however far it is on its way.
//!
//! What is written goes first, so that nobody has it sent once more: a resend holds it. Then
//! what is owed: what waits is canceled, and what a worker has in hand is marked, so that its
//! settlement keeps no more than how it went. Then what was made: that stays on record,
//! without the addresses and without what receivers and mail servers said.
//!
//! Nothing in here waits for a row of the outbox. Settlers hold them, and wait for the users
//! whose rows are held by whoever erases: what is being settled this moment makes the whole
//! transaction [`EraseError::Busy`].

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use uuid::Uuid;

use super::cancellation::cancel_where;
use super::resend::listed;
use crate::db::{AnyConnection, DbError, SqlUuid};
use crate::id::{ActionLogId, DeliveryId, EmailId, EventId, TenantId, UserActionId, UserId};
use crate::schema::{action_logs, emails, events};
use crate::unix_millis::UnixMillis;

/// Logs that are looked at together.
const LOGS: i64 = 100;

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// Somebody else is busy with it this moment. Roll back, and try again a little later.
    #[error("what is to be erased is being settled this moment")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Database(DbError),
}

impl From<DbError> for EraseError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Conflict(_) => Self::Busy,
            error => Self::Database(error),
        }
    }
}

impl From<diesel::result::Error> for EraseError {
    fn from(error: diesel::result::Error) -> Self {
        DbError::from(error).into()
    }
}

/// Rows that may still be erased in this transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget(i64);

impl Budget {
    /// Few enough that nobody who waits for the transaction notices.
    pub(crate) const BATCH: Self = Self(200);

    pub(crate) fn is_spent(self) -> bool {
        self.0 <= 0
    }

    pub(crate) fn spend(&mut self, rows: usize) {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        self.0 = self.0.saturating_sub(rows);
    }

    /// How many more rows may be looked for.
    pub(crate) fn rows(self) -> i64 {
        self.0.max(0)
    }
}

/// Erases what was written about a user or to them, their logs included, as far as the budget
/// goes. If it is not spent afterwards, nothing is left. The caller holds the user's row, so
/// that nothing is added.
pub(crate) fn erase_of_user(
    connection: &mut AnyConnection,
    user: UserId,
    budget: &mut Budget,
    now: UnixMillis,
) -> Result<(), EraseError> {
    while !budget.is_spent() {
        let logs: Vec<ActionLogId> = action_logs::table
            .filter(action_logs::actionee_user_id.eq(user))
            .limit(LOGS.min(budget.rows()))
            .select(action_logs::id)
            .load(connection)?;
        if logs.is_empty() {
            break;
        }
        erase_logs(connection, &logs, budget, now)?;
    }
    let strays: Vec<EventId> = events::table
        .filter(events::linked_object_id.eq(user))
        .filter(events::action_log_id.is_null().or(events::rolled_back))
        .limit(budget.rows())
        .select(events::id)
        .load(connection)?;
    erase(connection, Written::Events, &strays, budget, now)?;
    let mails: Vec<EmailId> = emails::table
        .filter(emails::action_log_id.is_null())
        .filter(emails::user_id.eq(user))
        .limit(budget.rows())
        .select(emails::id)
        .load(connection)?;
    erase(connection, Written::Emails, &mails, budget, now)
}

fn erase_logs(
    connection: &mut AnyConnection,
    logs: &[ActionLogId],
    budget: &mut Budget,
    now: UnixMillis,
) -> Result<(), EraseError> {
    let of_logs: Vec<Option<ActionLogId>> = logs.iter().copied().map(Some).collect();
    let told: Vec<EventId> = events::table
        .filter(events::action_log_id.eq_any(of_logs.clone()))
        .limit(budget.rows())
        .select(events::id)
        .load(connection)?;
    erase(connection, Written::Events, &told, budget, now)?;
    let mails: Vec<EmailId> = emails::table
        .filter(emails::action_log_id.eq_any(of_logs))
        .limit(budget.rows())
        .select(emails::id)
        .load(connection)?;
    erase(connection, Written::Emails, &mails, budget, now)?;
    if budget.is_spent() {
        // Without its log nobody would find what may be left of it.
        return Ok(());
    }
    budget.spend(logs.len());
    diesel::delete(action_logs::table.filter(action_logs::id.eq_any(logs.to_vec())))
        .execute(connection)?;
    Ok(())
}

/// Removes some logs of a definition that nobody can apply any more, and says how many. What
/// they have led to stays, and is found by its user from then on. Call it until nothing is
/// left, each time in a write transaction of its own.
pub fn forget_logs(connection: &mut AnyConnection, of: UserActionId) -> QueryResult<usize> {
    let logs: Vec<ActionLogId> = action_logs::table
        .filter(action_logs::user_action_id.eq(of))
        .limit(LOGS)
        .select(action_logs::id)
        .load(connection)?;
    let of_logs: Vec<Option<ActionLogId>> = logs.iter().copied().map(Some).collect();
    diesel::update(events::table.filter(events::action_log_id.eq_any(of_logs.clone())))
        .set(events::action_log_id.eq(None::<ActionLogId>))
        .execute(connection)?;
    diesel::update(emails::table.filter(emails::action_log_id.eq_any(of_logs)))
        .set(emails::action_log_id.eq(None::<ActionLogId>))
        .execute(connection)?;
    diesel::delete(action_logs::table.filter(action_logs::id.eq_any(logs))).execute(connection)
}

/// Erases a tenant's mails to addresses rather than to users, as far as the budget goes.
pub(crate) fn erase_mails_to_addresses(
    connection: &mut AnyConnection,
    tenant: TenantId,
    budget: &mut Budget,
    now: UnixMillis,
) -> Result<(), EraseError> {
    let mails: Vec<EmailId> = emails::table
        .filter(emails::tenant_id.eq(tenant))
        .filter(emails::action_log_id.is_null())
        .filter(emails::user_id.is_null())
        .limit(budget.rows())
        .select(emails::id)
        .load(connection)?;
    erase(connection, Written::Emails, &mails, budget, now)
}

/// What is written once, and goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Events,
    Emails,
}

impl Written {
    /// Its table, and the column by which deliveries refer to it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Events => ("events", "event_id"),
            Self::Emails => ("emails", "email_id"),
        }
    }
}

fn erase<T: Into<Uuid> + Copy>(
    connection: &mut AnyConnection,
    what: Written,
    ids: &[T],
    budget: &mut Budget,
    now: UnixMillis,
) -> Result<(), EraseError> {
    if ids.is_empty() {
        return Ok(());
    }
    budget.spend(ids.len());
    let (table, column) = what.names();
    let these = listed(connection, ids);
    let of_these = format!("{column} IN ({these})");
    diesel::sql_query(format!("DELETE FROM {table} WHERE id IN ({these})")).execute(connection)?;
    cancel_where(connection, &of_these, now)?;
    mark(connection, &of_these)?;
    if anything_owed(connection, &of_these)? {
        return Err(EraseError::Busy);
    }
    let ids_of = format!(
        "SELECT id FROM deliveries WHERE {of_these} UNION ALL
         SELECT id FROM outbox WHERE {of_these}"
    );
    if what == Written::Emails {
        // That a server refuses an address is known through these mails.
        diesel::sql_query(format!(
            "DELETE FROM suppressions WHERE delivery_id IN ({ids_of})"
        ))
        .execute(connection)?;
    }
    diesel::sql_query(format!(
        "UPDATE attempts SET message = NULL, response_excerpt = NULL
         WHERE delivery_id IN ({ids_of})"
    ))
    .execute(connection)?;
    diesel::sql_query(format!(
        "UPDATE deliveries SET recipient = NULL, message = NULL, response_excerpt = NULL
         WHERE {of_these}"
    ))
    .execute(connection)?;
    Ok(())
}

/// Marks what workers have in hand, as far as nobody is settling it.
fn mark(connection: &mut AnyConnection, condition: &str) -> QueryResult<usize> {
    match connection {
        AnyConnection::Pg(connection) => diesel::sql_query(format!(
            "UPDATE outbox SET erased = TRUE, recipient = NULL WHERE id IN (
                SELECT id FROM outbox WHERE {condition} FOR UPDATE SKIP LOCKED)"
        ))
        .execute(connection),
        AnyConnection::Sqlite(connection) => diesel::sql_query(format!(
            "UPDATE outbox SET erased = TRUE, recipient = NULL WHERE {condition}"
        ))
        .execute(connection),
    }
}

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    total: i64,
}

fn anything_owed(connection: &mut AnyConnection, condition: &str) -> QueryResult<bool> {
    let left: Total = diesel::sql_query(format!(
        "SELECT count(*) AS total FROM outbox WHERE {condition} AND NOT erased"
    ))
    .get_result(connection)?;
    Ok(left.total > 0)
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = SqlUuid)]
    id: UserId,
}

/// Locks so many users of a tenant, of those whom nobody else holds.
pub(crate) fn lock_users_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    limit: i64,
) -> QueryResult<Vec<UserId>> {
    let held: Vec<Held> = diesel::sql_query(format!(
        "SELECT id FROM users WHERE tenant_id = $1 LIMIT $2 {}",
        skip_locked(connection)
    ))
    .bind::<SqlUuid, _>(tenant)
    .bind::<BigInt, _>(limit)
    .load(connection)?;
    Ok(held.into_iter().map(|held| held.id).collect())
}

/// Locks a user. False: there is none, or somebody else holds the row.
pub(crate) fn lock_user(connection: &mut AnyConnection, user: UserId) -> QueryResult<bool> {
    let held: Option<Held> = diesel::sql_query(format!(
        "SELECT id FROM users WHERE id = $1 {}",
        skip_locked(connection)
    ))
    .bind::<SqlUuid, _>(user)
    .get_result(connection)
    .optional()?;
    Ok(held.is_some())
}

fn skip_locked(connection: &AnyConnection) -> &'static str {
    match connection {
        AnyConnection::Pg(_) => "FOR UPDATE SKIP LOCKED",
        // There is one writer, and this is it.
        AnyConnection::Sqlite(_) => "",
    }
}

/// A part of what is owed.
#[derive(Debug)]
pub(crate) struct OwedPage {
    /// Those of the tenant.
    pub(crate) ids: Vec<DeliveryId>,
    /// Where the next part begins; none: this was the last.
    pub(crate) next: Option<DeliveryId>,
}

#[derive(QueryableByName)]
struct Owed {
    #[diesel(sql_type = SqlUuid)]
    id: DeliveryId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    tenant_id: Option<TenantId>,
}

/// What is owed on account of a tenant, of the next thousand rows of the outbox.
pub(crate) fn owed_of_tenant(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<DeliveryId>,
) -> QueryResult<OwedPage> {
    let owed: Vec<Owed> = diesel::sql_query(
        "SELECT o.id, COALESCE(e.tenant_id, m.tenant_id) AS tenant_id
         FROM (SELECT id, event_id, email_id FROM outbox WHERE id > $1 ORDER BY id LIMIT 1000) o
         LEFT JOIN events e ON e.id = o.event_id
         LEFT JOIN emails m ON m.id = o.email_id
         ORDER BY o.id",
    )
    .bind::<SqlUuid, _>(after.unwrap_or_else(|| Uuid::nil().into()))
    .load(connection)?;
    let next = owed.last().map(|last| last.id);
    let of_tenant = |owed: &Owed| (owed.tenant_id == Some(tenant)).then_some(owed.id);
    Ok(OwedPage {
        ids: owed.iter().filter_map(of_tenant).collect(),
        next,
    })
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: DeliveryId,
}

/// Whether this delivery is still owed to whom it was for. It stays so until the transaction
/// ends: whoever writes down what an attempt has shown of an address asks before.
pub fn is_still_owed(connection: &mut AnyConnection, id: DeliveryId) -> QueryResult<bool> {
    let suffix = match connection {
        AnyConnection::Pg(_) => "FOR SHARE",
        AnyConnection::Sqlite(_) => "",
    };
    let owed = diesel::sql_query(format!(
        "SELECT id FROM outbox WHERE id = $1 AND NOT erased {suffix}"
    ));
    let owed: Option<Found> = owed
        .bind::<SqlUuid, _>(id)
        .get_result(connection)
        .optional()?;
    Ok(owed.is_some_and(|owed| owed.id == id))
}

#[cfg(test)]
mod tests;
