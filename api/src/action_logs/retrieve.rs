//! `GET /api/user/action/{actionId}`, and the logs of one user by `userId`.

use std::collections::HashMap;

use beadle_common::db::{AnyConnection, QueryResult};
use beadle_common::id::{ActionLogId, TenantId, UserId};
use beadle_common::model::action_log::{ActionLog, Filter, HistoryItem};
use beadle_common::model::user::User;
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{ActionView, View};

use super::WRAPPER;
use super::request::find;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Call, Query};
use crate::listing::{self, Rows};

/// Logs with their histories.
#[derive(Debug, Clone, Copy)]
pub(super) struct Logs;

impl Rows for Logs {
    type Id = ActionLogId;
    type Row = (ActionLog, Vec<HistoryItem>);

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[ActionLogId],
    ) -> Result<Vec<(ActionLogId, Self::Row)>, ApiError> {
        let logs = ActionLog::load(connection, ids)?;
        let mut histories = histories(connection, &logs)?;
        let with_history = |log: ActionLog| {
            let history = histories.remove(&log.id).unwrap_or_default();
            (log.id, (log, history))
        };
        Ok(logs.into_iter().map(with_history).collect())
    }

    fn show(&self, (log, history): &Self::Row) -> Result<View, ApiError> {
        Ok(View::of(&ActionView::new(log, history, None)))
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
    let view = ActionView::new(&log, &history, None);
    Ok(answer::wrapped(WRAPPER, view))
}

async fn list(call: Call) -> Answer {
    let user: UserId = call
        .query()
        .id("userId")?
        .ok_or_else(|| ApiError::field(Prefix::Missing, "userId"))?;
    let filter = filter(call.query())?;
    let (scope, now) = (call.scope(), call.now());
    listing::answer(&call, "actions", Logs, move |connection| {
        logs_of(connection, user, scope, filter, now)
    })
    .await
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
    now: UnixMillis,
) -> Result<Vec<ActionLogId>, ApiError> {
    User::find(connection, user)?
        .filter(|user| scope.is_none_or(|tenant| tenant == user.tenant_id))
        .ok_or(ApiError::NotFound)?;
    Ok(ActionLog::ids_of_user(connection, user, filter, now)?)
}

fn histories(connection: &mut AnyConnection, logs: &[ActionLog]) -> QueryResult<Histories> {
    // Most logs have never been changed since their first revision, and have no history.
    let changed = logs.iter().filter(|log| log.revision > 1);
    let ids: Vec<ActionLogId> = changed.map(|log| log.id).collect();
    let mut histories = Histories::new();
    if ids.is_empty() {
        return Ok(histories);
    }
    for item in HistoryItem::of_logs(connection, &ids)? {
        histories.entry(item.action_log_id).or_default().push(item);
    }
    Ok(histories)
}
