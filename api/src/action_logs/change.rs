//! From a request to a committed change: prepare, ask webhooks if they have a say, commit,
//! wake the workers, answer.

use std::sync::Arc;

use beadle_common::db::AnyConnection;
use beadle_common::id::{ActionLogId, TenantId};
use beadle_common::lifecycle::{self, Change, Conflict, FirstAttempts};
use beadle_common::model::action_log::ActionLog;
use beadle_common::view::ActionView;
use serde_json::{Map, Value};

use super::input::read_info;
use super::{WRAPPER, webhook_consent};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Call, Origin, UnauthenticatedCall};
use crate::idempotency::{Reservation, Sealed};
use crate::input::{Body, Object};
use crate::state::State;

/// How often a change is prepared at most before its caller is told to try again.
const ATTEMPTS: usize = 3;

/// What every request for a change carries beside its own members.
#[derive(Debug, Clone)]
pub(super) struct Request {
    body: Result<Body, ApiError>,
    scope: Option<TenantId>,
    origin: Origin,
}

impl Request {
    pub(super) async fn read(call: &mut Call) -> Self {
        Self {
            body: call.body().await,
            scope: call.scope(),
            origin: call.origin(),
        }
    }

    /// The same before anybody knows which tenant the key is limited to.
    pub(super) async fn read_unproven(unauthenticated: &mut UnauthenticatedCall) -> Self {
        Self {
            body: unauthenticated.body().await,
            scope: None,
            origin: unauthenticated.origin(),
        }
    }

    /// The same, limited to a tenant.
    pub(super) fn within(mut self, scope: Option<TenantId>) -> Self {
        self.scope = scope;
        self
    }

    /// The members of the body, if it can be read.
    pub(super) fn sent(&self) -> Option<&Map<String, Value>> {
        self.body.as_ref().ok()?.json.as_object()
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
                find(connection, id, self.scope)?;
                unusable
            }
        }
    }

    /// What the life cycle needs to know of the call as a whole. The clock is read when the
    /// work begins: the body may have come long after the head of the request.
    pub(super) fn call(&self, body: &Object<'_>, state: &State) -> lifecycle::Call {
        lifecycle::Call {
            now: (state.clock)(),
            scope: self.scope,
            broadcast: body.flag("broadcast", false),
            info: read_info(body, &self.origin),
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
/// changed between the two is prepared anew, unless webhooks were asked about it.
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
        let (question, reply) = (change.consent_request(), show(&change));
        let draft = Draft::new(change, &reply, call.reservation())?;
        if let Some(question) = question {
            webhook_consent::decide(state, draft, question).await?;
            return Ok(reply.into());
        }
        match draft.write(&state, FirstAttempts::default()).await {
            Ok(()) => return Ok(reply.into()),
            Err(Conflict::Changed) => {}
            Err(Conflict::Database(error)) => return Err(error.into()),
        }
    }
    Err(ApiError::Conflict)
}

/// A change ready to be written, with its answer if that is to be kept.
#[derive(Debug)]
pub(super) struct Draft {
    change: Arc<Change>,
    kept: Option<(Reservation, Sealed)>,
}

impl Draft {
    fn new(
        change: Change,
        reply: &Reply,
        reservation: Option<&Reservation>,
    ) -> Result<Self, ApiError> {
        let seal = |reservation: &Reservation| {
            let sealed = reservation.seal(reply)?;
            Ok::<_, ApiError>((reservation.clone(), sealed))
        };
        Ok(Self {
            change: Arc::new(change),
            kept: reservation.map(seal).transpose()?,
        })
    }

    pub(super) fn change(&self) -> &Change {
        &self.change
    }

    /// Writes the change and the answer in one transaction, and wakes the workers.
    pub(super) async fn write(
        &self,
        state: &State,
        answers: FirstAttempts,
    ) -> Result<(), Conflict> {
        let (change, kept) = (Arc::clone(&self.change), self.kept.clone());
        let written = state.db.write(move |connection| {
            lifecycle::commit_answered(connection, &change, &answers)?;
            if let Some((reservation, sealed)) = &kept
                && !reservation.store(connection, sealed)?
            {
                return Err(Conflict::Changed);
            }
            Ok(())
        });
        written.await?;
        if let Some((reservation, _)) = &self.kept {
            reservation.mark_stored();
        }
        if self.change.leaves_work() {
            state.wake.wake();
        }
        Ok(())
    }
}

pub(super) fn show(change: &Change) -> Reply {
    let view = ActionView::new(change.log(), change.history(), change.answer_event());
    Reply::wrapped(WRAPPER, view)
}
