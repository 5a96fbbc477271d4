//! `GET /api/user/action/{actionId}`, and the logs of one user by `userId`.

use std::collections::HashMap;

use beadle_common::db::{AnyConnection, QueryResult};
use beadle_common::id::{ActionLogId, TenantId, UserId};
use beadle_common::instant::Instant;
use beadle_common::model::action_log::{ActionLog, Filter, HistoryItem};
use beadle_common::model::user::User;
use beadle_common::view::ActionView;

use super::WRAPPER;
use super::change::find;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Call, Query};

/// Logs whose history is fetched with one query: a database takes so many parameters only.
const HISTORIES_AT_ONCE: usize = 500;

/// Logs, and the histories of those that have one.
pub(super) struct Found {
    pub(super) logs: Vec<ActionLog>,
    pub(super) histories: Histories,
}

impl Found {
    /// The logs with their histories.
    pub(super) fn load(connection: &mut AnyConnection, logs: Vec<ActionLog>) -> QueryResult<Self> {
        let histories = histories(connection, &logs)?;
        Ok(Self { logs, histories })
    }

    /// As the API returns them.
    pub(super) fn views(&self) -> Vec<ActionView<'_>> {
        let history = |log: &ActionLog| self.histories.get(&log.id).map_or(&[][..], Vec::as_slice);
        let view = |log| ActionView::new(log, history(log), None);
        self.logs.iter().map(view).collect()
    }
}

type Histories = HashMap<ActionLogId, Vec<HistoryItem>>;

pub(super) async fn retrieve_actions(call: Call) -> Answer {
    let Some(id) = call.id()? else {
        return list(call).await;
    };
    let scope = call.scope();
    let (log, history) = call
        .state()
        .read(move |connection| {
            let log = find(connection, id, scope)?;
            Ok((log, HistoryItem::of_log(connection, id)?))
        })
        .await?;
    answer::serialized(WRAPPER, &ActionView::new(&log, &history, None))
}

async fn list(call: Call) -> Answer {
    let user: UserId = call
        .query()
        .id("userId")?
        .ok_or_else(|| ApiError::field(Prefix::Missing, "userId"))?;
    let filter = filter(call.query())?;
    let (scope, now) = (call.scope(), call.now());
    let found = call
        .state()
        .read(move |connection| logs_of(connection, user, scope, filter, now))
        .await?;
    answer::serialized("actions", &found.views())
}

fn filter(query: &Query) -> Result<Filter, ApiError> {
    let active = query.flag("active")?;
    let preventing = query.flag("preventingLogin")?.unwrap_or(false);
    match (active, preventing) {
        (Some(_), true) => Err(ApiError::field(Prefix::Invalid, "preventingLogin")),
        (None, true) => Ok(Filter::PreventingLogin),
        (Some(true), false) => Ok(Filter::Active),
        (Some(false), false) => Ok(Filter::Inactive),
        (None, false) => Ok(Filter::All),
    }
}

fn logs_of(
    connection: &mut AnyConnection,
    user: UserId,
    scope: Option<TenantId>,
    filter: Filter,
    now: Instant,
) -> Result<Found, ApiError> {
    User::find(connection, user)?
        .filter(|user| scope.is_none_or(|tenant| tenant == user.tenant_id))
        .ok_or(ApiError::NotFound)?;
    let logs = ActionLog::of_user(connection, user, filter, now)?;
    Ok(Found::load(connection, logs)?)
}

fn histories(connection: &mut AnyConnection, logs: &[ActionLog]) -> QueryResult<Histories> {
    // Most logs have never been changed since their first revision, and have no history.
    let changed = logs.iter().filter(|log| log.revision > 1);
    let ids: Vec<ActionLogId> = changed.map(|log| log.id).collect();
    let mut histories = Histories::new();
    for some in ids.chunks(HISTORIES_AT_ONCE) {
        for item in HistoryItem::of_logs(connection, some)? {
            histories.entry(item.action_log_id).or_default().push(item);
        }
    }
    Ok(histories)
}
