//! Changes that webhooks have a say in: they are asked first, and the change is written if
//! enough of them agree.

use actix_web::web::Data;
use beadle_common::db::DbError;
use beadle_common::lifecycle::{self, Conflict, ConsentRequest, FirstAttempts};

use super::change::Draft;
use crate::error::ApiError;
use crate::state::State;

/// How often the same change is written at most, if others are in the way.
const ATTEMPTS: usize = 3;

/// Asks the webhooks, and writes the change if they agree. Goes on without its caller: once a
/// receiver has agreed, hanging up must not leave it with an action that did not happen.
pub(super) async fn decide(
    state: Data<State>,
    draft: Draft,
    question: ConsentRequest,
) -> Result<(), ApiError> {
    let background = state.background.clone();
    let deciding = async move {
        let transaction_type = question.transaction_type;
        let answers = state.inquirer.ask(&state.db, question).await?;
        let (asked, agreed) = (answers.asked(), answers.agreed());
        let written = match transaction_type.is_satisfied(asked, agreed) {
            true => write(&state, &draft, &answers).await,
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
async fn write(state: &State, draft: &Draft, answers: &FirstAttempts) -> Result<(), ApiError> {
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
    let log = draft.change().log().id;
    let written = state.db.write(move |connection| {
        lifecycle::record_rollback(connection, draft.change(), &answers)?;
        Ok::<_, DbError>(())
    });
    if let Err(error) = written.await {
        tracing::error!(
            action.id = %log,
            "an event that webhooks were asked about, in vain, is missing from the log: {error}"
        );
    }
}
