//! From a request to a committed change: prepare, ask webhooks if they have a say, commit,
//! wake the workers, answer.

use std::sync::Arc;

use actix_web::web::Data;
use beadle_common::db::{AnyConnection, DbError};
use beadle_common::lifecycle::{self, Change, Conflict, ConsentRequest, FirstAttempts};
use beadle_common::view::ActionView;

use super::WRAPPER;
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::extract::Call;
use crate::idempotency::{Reservation, Sealed};
use crate::state::State;

/// How often a change is prepared at most before its caller is told to try again, or the same
/// change is written that webhooks have agreed to, if others are in the way.
const ATTEMPTS: usize = 3;

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
        let (consent, reply) = (change.consent_request(), show(&change));
        let draft = Draft::new(change, &reply, call.reservation())?;
        if let Some(consent) = consent {
            decide(state, draft, consent).await?;
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
struct Draft {
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

    /// Writes the change and the answer in one transaction, and wakes the workers.
    async fn write(&self, state: &State, answers: FirstAttempts) -> Result<(), Conflict> {
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

/// Asks the webhooks, and writes the change if they agree. Goes on without its caller: once a
/// receiver has agreed, hanging up must not leave it with an action that did not happen.
async fn decide(state: Data<State>, draft: Draft, request: ConsentRequest) -> Result<(), ApiError> {
    let background = state.background.clone();
    let deciding = async move {
        let transaction_type = request.transaction_type;
        let answers = state.consent_client.ask(&state.db, request).await?;
        let (asked, agreed) = (answers.asked(), answers.agreed());
        let written = match transaction_type.is_satisfied(asked, agreed) {
            true => write_agreed(&state, &draft, &answers).await,
            false => Err(ApiError::TransactionFailed { agreed, asked }),
        };
        if written.is_err() {
            record_rollback(&state, draft, answers).await;
        }
        written
    };
    background.finish(deciding).await
}

/// Writes the change that receivers know of. It is never prepared anew: what they were told
/// would not be what is written then.
async fn write_agreed(
    state: &State,
    draft: &Draft,
    answers: &FirstAttempts,
) -> Result<(), ApiError> {
    for _ in 0..ATTEMPTS {
        match draft.write(state, answers.clone()).await {
            Ok(()) => return Ok(()),
            // It may be a deadlock only; a log that has changed stays changed.
            Err(Conflict::Changed) => {}
            Err(Conflict::Database(error)) => return Err(error.into()),
        }
    }
    Err(ApiError::Conflict)
}

/// Leaves in the log what receivers were told. The call has failed by now; that its trace is
/// missing too is for the operator to know.
async fn record_rollback(state: &State, draft: Draft, answers: FirstAttempts) {
    let log = draft.change.log().id;
    let written = state.db.write(move |connection| {
        lifecycle::record_rollback(connection, &draft.change, &answers)?;
        Ok::<_, DbError>(())
    });
    if let Err(error) = written.await {
        tracing::error!(
            action.id = %log,
            "an event that webhooks were asked about, in vain, is missing from the log: {error}"
        );
    }
}

pub(super) fn show(change: &Change) -> Reply {
    let view = ActionView::new(change.log(), change.history(), change.answer_event());
    Reply::wrapped(WRAPPER, view)
}
