//! Action logs: definitions applied to users, and the history of each.

use std::time::Duration;

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use uuid::Uuid;

use super::crud;
use super::erased::{tenants_under_erasure, users_under_erasure};
use crate::db::bulk::{Bulk, column};
use crate::db::{AnyConnection, Json, Locking, MultiBackend, RowLock, SqlUuid};
use crate::id::{ActionLogId, ApplicationId, TenantId, UserActionId, UserId};
use crate::schema::{action_history, action_logs};
use crate::unix_millis::UnixMillis;

/// One definition applied to one user.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = action_logs, treat_none_as_null = true)]
pub struct ActionLog {
    /// Primary key; `action.id` in the API.
    pub id: ActionLogId,
    /// The actionee's.
    pub tenant_id: TenantId,
    /// Who is acted upon.
    pub actionee_user_id: UserId,
    /// Who acted last; none: the system.
    pub actioner_user_id: Option<UserId>,
    /// The definition.
    pub user_action_id: UserActionId,
    /// What it is limited to, sorted; empty: nothing.
    pub application_ids: Json<Vec<ApplicationId>>,
    /// The last comment.
    pub comment: Option<String>,
    /// Email the actionee at the end.
    pub email_user_on_end: bool,
    /// Passed on in the event of the end.
    pub notify_user_on_end: bool,
    /// Temporal logs: whether the event of the end was raised.
    pub end_event_sent: Option<bool>,
    /// Temporal logs: when it ends, or has ended.
    pub expiry: Option<UnixMillis>,
    /// When the end phase has to run; none: not, or not any more.
    pub end_due: Option<UnixMillis>,
    /// Taken back before its end.
    pub canceled: bool,
    /// Keeps the actionee from logging in while active.
    pub prevent_login: bool,
    /// Copy of the definition's name.
    pub name: String,
    /// The name in the actionee's language.
    pub localized_name: String,
    /// The option chosen.
    pub option: Option<String>,
    /// The option in the actionee's language.
    pub localized_option: Option<String>,
    /// Copy of the reason's text.
    pub reason: Option<String>,
    /// The reason in the actionee's language.
    pub localized_reason: Option<String>,
    /// Copy of the reason's code.
    pub reason_code: Option<String>,
    /// Counts changes: whoever changes a log must have seen the last one.
    pub revision: i32,
    /// When it was applied.
    pub insert_instant: UnixMillis,
    /// When the current state was set.
    pub last_update_instant: UnixMillis,
}

crud!(ActionLog, action_logs, ActionLogId, seen: seen);

/// Of nobody who is being erased.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn seen() -> _ {
    not(action_logs::actionee_user_id.eq_any(users_under_erasure()))
        .and(not(action_logs::tenant_id.eq_any(tenants_under_erasure())))
}

/// A state that a modify or a cancel replaced.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = action_history)]
pub struct HistoryItem {
    /// The log.
    pub action_log_id: ActionLogId,
    /// From 0, oldest first.
    pub position: i32,
    /// Who had set the state.
    pub actioner_user_id: Option<UserId>,
    /// Its comment.
    pub comment: Option<String>,
    /// When it had been set.
    pub create_instant: UnixMillis,
    /// Its expiry.
    pub expiry: Option<UnixMillis>,
}

/// The columns in the order of [`ActionLog::at_once`].
const INSERT: &str = "INSERT INTO action_logs (id, tenant_id, actionee_user_id, actioner_user_id, user_action_id, \
     application_ids, comment, email_user_on_end, notify_user_on_end, \
     end_event_sent, expiry, end_due, canceled, prevent_login, name, localized_name, \
     option, localized_option, reason, localized_reason, reason_code, revision, \
     insert_instant, last_update_instant)";

/// Which logs of a user to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// All.
    All,
    /// Temporal, not expired, not canceled.
    Active,
    /// The others.
    Inactive,
    /// Active, and keeping the user from logging in.
    PreventingLogin,
}

/// Where a walk through a tenant's logs goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCursor(UnixMillis, ActionLogId);

impl LogCursor {
    /// So much earlier: a log is from when its request began, and comes when it is committed.
    #[must_use]
    pub fn back(self, by: Duration) -> Self {
        Self(self.0.minus(by), Uuid::nil().into())
    }
}

/// Logs that are looked at together.
const LOOKED_AT: i64 = 500;

impl ActionLog {
    /// These logs, to be added together.
    pub(crate) fn at_once<'r>(logs: &[&'r Self]) -> Bulk<'r> {
        Bulk::new(INSERT)
            .column::<Array<SqlUuid>, _>(column(logs, |log| log.id))
            .column::<Array<SqlUuid>, _>(column(logs, |log| log.tenant_id))
            .column::<Array<SqlUuid>, _>(column(logs, |log| log.actionee_user_id))
            .column::<Array<Nullable<SqlUuid>>, _>(column(logs, |log| log.actioner_user_id))
            .column::<Array<SqlUuid>, _>(column(logs, |log| log.user_action_id))
            .column::<Array<Text>, _>(column(logs, |log| &log.application_ids))
            .column::<Array<Nullable<Text>>, _>(column(logs, |log| log.comment.as_deref()))
            .column::<Array<Bool>, _>(column(logs, |log| log.email_user_on_end))
            .column::<Array<Bool>, _>(column(logs, |log| log.notify_user_on_end))
            .column::<Array<Nullable<Bool>>, _>(column(logs, |log| log.end_event_sent))
            .column::<Array<Nullable<BigInt>>, _>(column(logs, |log| log.expiry))
            .column::<Array<Nullable<BigInt>>, _>(column(logs, |log| log.end_due))
            .column::<Array<Bool>, _>(column(logs, |log| log.canceled))
            .column::<Array<Bool>, _>(column(logs, |log| log.prevent_login))
            .column::<Array<Text>, _>(column(logs, |log| log.name.as_str()))
            .column::<Array<Text>, _>(column(logs, |log| log.localized_name.as_str()))
            .column::<Array<Nullable<Text>>, _>(column(logs, |log| log.option.as_deref()))
            .column::<Array<Nullable<Text>>, _>(column(logs, |log| log.localized_option.as_deref()))
            .column::<Array<Nullable<Text>>, _>(column(logs, |log| log.reason.as_deref()))
            .column::<Array<Nullable<Text>>, _>(column(logs, |log| log.localized_reason.as_deref()))
            .column::<Array<Nullable<Text>>, _>(column(logs, |log| log.reason_code.as_deref()))
            .column::<Array<Integer>, _>(column(logs, |log| log.revision))
            .column::<Array<BigInt>, _>(column(logs, |log| log.insert_instant))
            .column::<Array<BigInt>, _>(column(logs, |log| log.last_update_instant))
    }

    /// Whether it is in force at `now`, and its end has not been told of: the clock that told
    /// of it may be ahead of the one that `now` is from.
    #[must_use]
    pub fn is_active(&self, now: UnixMillis) -> bool {
        let goes_on =
            |expiry: UnixMillis| expiry > now && (expiry.is_never() || self.end_due.is_some());
        !self.canceled && self.expiry.is_some_and(goes_on)
    }

    /// The logs of a user, newest first.
    pub fn of_user(
        connection: &mut AnyConnection,
        user: UserId,
        filter: Filter,
        now: UnixMillis,
    ) -> QueryResult<Vec<Self>> {
        Self::query_of_user(user, filter, now)
            .select(Self::as_select())
            .load(connection)
    }

    /// Their Ids.
    pub fn ids_of_user(
        connection: &mut AnyConnection,
        user: UserId,
        filter: Filter,
        now: UnixMillis,
    ) -> QueryResult<Vec<ActionLogId>> {
        Self::query_of_user(user, filter, now)
            .select(action_logs::id)
            .load(connection)
    }

    fn query_of_user(
        user: UserId,
        filter: Filter,
        now: UnixMillis,
    ) -> action_logs::BoxedQuery<'static, MultiBackend> {
        let query = action_logs::table
            .filter(action_logs::actionee_user_id.eq(user))
            .order((action_logs::insert_instant.desc(), action_logs::id.desc()))
            .into_boxed();
        let active = action_logs::canceled
            .eq(false)
            .and(action_logs::expiry.is_not_null())
            .and(action_logs::expiry.gt(now));
        match filter {
            Filter::All => query,
            Filter::Active => query.filter(active),
            Filter::PreventingLogin => query
                .filter(active)
                .filter(action_logs::prevent_login.eq(true)),
            Filter::Inactive => query.filter(
                action_logs::canceled
                    .eq(true)
                    .or(action_logs::expiry.is_null())
                    .or(action_logs::expiry.le(now)),
            ),
        }
    }

    /// Takes the log from the revision that the caller has seen to this state.
    /// False: somebody else changed it meanwhile.
    pub fn update_from(
        &self,
        connection: &mut AnyConnection,
        seen_revision: i32,
    ) -> QueryResult<bool> {
        let rows = diesel::update(
            action_logs::table
                .find(self.id)
                .filter(action_logs::revision.eq(seen_revision)),
        )
        .set(self)
        .execute(connection)?;
        Ok(rows == 1)
    }

    /// Which of a tenant's next logs are limited to an application. Every log may be, so all of
    /// them are looked at, part by part: for something that hardly ever happens, and outside
    /// transactions.
    pub fn limited_to(
        connection: &mut AnyConnection,
        tenant: TenantId,
        application: ApplicationId,
        after: Option<LogCursor>,
    ) -> QueryResult<(Vec<ActionLogId>, Option<LogCursor>)> {
        let LogCursor(instant, id) = after.unwrap_or(LogCursor(
            UnixMillis::from_millis(i64::MIN),
            Uuid::nil().into(),
        ));
        let rows: Vec<(ActionLogId, UnixMillis, Json<Vec<ApplicationId>>)> = action_logs::table
            .filter(action_logs::tenant_id.eq(tenant))
            .filter(action_logs::insert_instant.ge(instant))
            .filter(
                action_logs::insert_instant
                    .gt(instant)
                    .or(action_logs::id.gt(id)),
            )
            .order((action_logs::insert_instant, action_logs::id))
            .limit(LOOKED_AT)
            .select((
                action_logs::id,
                action_logs::insert_instant,
                action_logs::application_ids,
            ))
            .load(connection)?;
        let last = rows.last().map(|(id, instant, _)| LogCursor(*instant, *id));
        let limited = rows
            .into_iter()
            .filter(|(_, _, applications)| applications.0.contains(&application));
        Ok((limited.map(|(id, _, _)| id).collect(), last))
    }

    /// Takes an application out of these logs. Whoever has prepared a change of one of them
    /// has to prepare it anew.
    pub fn forget_application(
        connection: &mut AnyConnection,
        logs: &[ActionLogId],
        application: ApplicationId,
    ) -> QueryResult<()> {
        let limited = action_logs::table
            .filter(action_logs::id.eq_any(logs.to_vec()))
            .order(action_logs::id)
            .select((action_logs::id, action_logs::application_ids));
        let limited: Vec<(ActionLogId, Json<Vec<ApplicationId>>)> =
            Locking::of(limited, RowLock::Update).load(connection)?;
        for (log, Json(mut applications)) in limited {
            applications.retain(|id| *id != application);
            diesel::update(action_logs::table.find(log))
                .set((
                    action_logs::application_ids.eq(Json(applications)),
                    action_logs::revision.eq(action_logs::revision + 1),
                ))
                .execute(connection)?;
        }
        Ok(())
    }

    /// The Ids of logs whose end is due at `now`, the longest overdue first.
    pub fn ends_due(
        connection: &mut AnyConnection,
        now: UnixMillis,
        limit: i64,
    ) -> QueryResult<Vec<ActionLogId>> {
        action_logs::table
            .filter(action_logs::end_due.is_not_null())
            .filter(seen())
            .filter(action_logs::end_due.le(now))
            .order(action_logs::end_due)
            .limit(limit)
            .select(action_logs::id)
            .load(connection)
    }

    /// Has the end of a log that is due at `now` looked at again at `later`.
    pub fn postpone_end(
        connection: &mut AnyConnection,
        id: ActionLogId,
        now: UnixMillis,
        later: UnixMillis,
    ) -> QueryResult<()> {
        diesel::update(
            action_logs::table
                .find(id)
                .filter(action_logs::end_due.le(now)),
        )
        .set(action_logs::end_due.eq(Some(later)))
        .execute(connection)?;
        Ok(())
    }

    /// When the next end is due.
    pub fn next_end(connection: &mut AnyConnection) -> QueryResult<Option<UnixMillis>> {
        let next: Option<Option<UnixMillis>> = action_logs::table
            .filter(action_logs::end_due.is_not_null())
            .filter(seen())
            .order(action_logs::end_due)
            .select(action_logs::end_due)
            .first(connection)
            .optional()?;
        Ok(next.flatten())
    }
}

impl HistoryItem {
    /// The history of a log, oldest first.
    pub fn of_log(connection: &mut AnyConnection, log: ActionLogId) -> QueryResult<Vec<Self>> {
        Self::of_logs(connection, &[log])
    }

    /// The histories of several logs, each oldest first.
    pub fn of_logs(connection: &mut AnyConnection, logs: &[ActionLogId]) -> QueryResult<Vec<Self>> {
        action_history::table
            .filter(action_history::action_log_id.eq_any(logs.to_vec()))
            .order((action_history::action_log_id, action_history::position))
            .select(Self::as_select())
            .load(connection)
    }

    /// Adds this item.
    pub fn insert(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        diesel::insert_into(action_history::table)
            .values(self)
            .execute(connection)?;
        Ok(())
    }
}
