//! From a request to a committed change: prepare, commit, wake the workers, answer.

use beadle_common::db::AnyConnection;
use beadle_common::id::{ActionLogId, TenantId};
use beadle_common::lifecycle::{self, Change, Conflict};
use beadle_common::model::action_log::ActionLog;
use beadle_common::view::ActionView;
use serde_json::{Map, Value};

use super::WRAPPER;
use super::input::read_info;
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Call, Origin};
use crate::input::{Body, Object};
use crate::state::State;

/// How often a change is prepared at most before its caller is told to try again.
const ATTEMPTS: usize = 3;

/// What every request for a change carries beside its own members.
#[derive(Debug, Clone)]
pub(super) struct Request {
    body: Result<Body, ApiError>,
    call: lifecycle::Call,
    origin: Origin,
}

impl Request {
    pub(super) async fn read(call: &mut Call) -> Self {
        let body = call.body().await;
        Self {
            body,
            call: lifecycle::Call {
                now: call.now(),
                scope: call.scope(),
                broadcast: false,
                info: Map::new(),
            },
            origin: call.origin(),
        }
    }

    /// The members of the body.
    pub(super) fn members(&self) -> Result<Map<String, Value>, ApiError> {
        self.body.clone()?.into_members()
    }

    /// The same for a log that is addressed: whether it exists is said first.
    pub(super) fn members_for(
        &self,
        connection: &mut AnyConnection,
        id: ActionLogId,
    ) -> Result<Map<String, Value>, ApiError> {
        match self.members() {
            Ok(members) if members.get(WRAPPER).is_some_and(Value::is_object) => Ok(members),
            unusable => {
                let scope = self.call.scope;
                find(connection, id, scope)?;
                unusable
            }
        }
    }

    /// What the life cycle needs to know of the call as a whole.
    pub(super) fn call(&self, body: &Object<'_>) -> lifecycle::Call {
        lifecycle::Call {
            broadcast: body.flag("broadcast", false),
            info: read_info(body, &self.origin),
            ..self.call.clone()
        }
    }
}

/// The log, which does not exist for those who may only look at another tenant.
pub(super) fn find(
    connection: &mut AnyConnection,
    id: ActionLogId,
    scope: Option<TenantId>,
) -> Result<ActionLog, ApiError> {
    ActionLog::find(connection, id)?
        .filter(|log| scope.is_none_or(|tenant| tenant == log.tenant_id))
        .ok_or(ApiError::NotFound)
}

/// The object that the request is about, or why there is none.
pub(super) fn action<'a>(body: &Object<'a>) -> Result<Object<'a>, ApiError> {
    match body.required_object(WRAPPER) {
        Some(action) => Ok(action),
        None if body.value(WRAPPER).is_some() => Err(ApiError::field(Prefix::InvalidJson, WRAPPER)),
        None => Err(ApiError::field(Prefix::Missing, WRAPPER)),
    }
}

/// Prepares outside any transaction, since rendering takes time, and commits. What has
/// changed between the two is prepared anew.
pub(super) async fn carry_out<F>(call: &Call, prepare: F) -> Answer
where
    F: Fn(&mut AnyConnection, &State) -> Result<Change, ApiError> + Clone + Send + 'static,
{
    let state = call.state();
    for _ in 0..ATTEMPTS {
        let (prepare, shared) = (prepare.clone(), state.clone());
        let change = state
            .read(move |connection| prepare(connection, &shared))
            .await?;
        let reply = show(&change)?;
        match commit(call, change, &reply).await {
            Ok(change) => {
                if change.leaves_work() {
                    state.wake.wake();
                }
                return Ok(reply.into());
            }
            Err(Failure::Conflict(Conflict::Changed)) => {}
            Err(Failure::Conflict(Conflict::Database(error))) => return Err(error.into()),
            Err(Failure::Answer(error)) => return Err(error),
        }
    }
    Err(ApiError::Conflict)
}

/// Why nothing was written.
enum Failure {
    Conflict(Conflict),
    Answer(ApiError),
}

/// Writes the change, and with it the answer, if it is to be kept.
async fn commit(call: &Call, change: Change, reply: &Reply) -> Result<Change, Failure> {
    let reservation = call.reservation().cloned();
    let kept = match reservation.clone() {
        Some(reservation) => {
            let sealed = reservation.seal(reply).map_err(Failure::Answer)?;
            Some((reservation, sealed))
        }
        None => None,
    };
    let change = call
        .state()
        .db
        .write(move |connection| {
            let change = lifecycle::commit(connection, change)?;
            if let Some((reservation, sealed)) = &kept
                && !reservation.store(connection, sealed)?
            {
                return Err(Conflict::Changed);
            }
            Ok(change)
        })
        .await
        .map_err(Failure::Conflict)?;
    if let Some(reservation) = reservation {
        reservation.mark_stored();
    }
    Ok(change)
}

fn show(change: &Change) -> Result<Reply, ApiError> {
    let view = ActionView::new(change.log(), change.history(), change.answer_event());
    Reply::serialized(WRAPPER, &view)
}
