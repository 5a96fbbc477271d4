//! [`Reservation`]: the right to carry out a request, and the duty to say how it went.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use beadle_common::db::{AnyConnection, QueryResult};
use beadle_common::id::ReservationToken;
use beadle_common::model::idempotency_key::{IdempotencyKey, Reserved};
use beadle_common::seal::Sealer;
use beadle_common::unix_millis::UnixMillis;

use crate::answer::Reply;
use crate::error::ApiError;
use crate::state::State;

/// How long a request may be under way: long enough for one that waits for receivers,
/// short enough for a client whose server has died to get its answer.
const LONGEST_REQUEST: Duration = Duration::from_secs(60);

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A request that was reserved for the one who holds this.
#[derive(Debug, Clone)]
pub(crate) struct Reservation {
    row: IdempotencyKey,
    sealer: Sealer,
    /// The end of a stored answer.
    kept_until: UnixMillis,
    stored: Arc<AtomicBool>,
}

/// What a request with a key is answered with, or that it may be carried out.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Nobody has carried it out.
    First(Reservation),
    /// It has been carried out: this was the answer.
    Again(Reply),
}

/// An answer as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Sealed(Vec<u8>);

impl Reservation {
    /// Reserves a request: `key` says whose and which key it carries, `request` all else.
    pub(crate) async fn make(
        state: &State,
        key: &[&[u8]],
        request: &[&[u8]],
        now: UnixMillis,
    ) -> Result<Admission, ApiError> {
        let row = IdempotencyKey {
            id: IdempotencyKey::id_of(key),
            request_hash: IdempotencyKey::hash_of(request),
            token: ReservationToken::random(),
            answer: None,
            expiration_instant: now.plus(LONGEST_REQUEST),
        };
        let reserving = row.clone();
        let reserved = state
            .db
            .write_autocommit(move |connection| {
                Ok::<_, ApiError>(reserving.reserve(connection, now)?)
            })
            .await?;
        match reserved {
            Reserved::Fresh => Ok(Admission::First(Self {
                row,
                sealer: state.sealer.clone(),
                kept_until: now.plus(KEPT),
                stored: Arc::default(),
            })),
            Reserved::UnderWay => Err(ApiError::Conflict),
            Reserved::OfAnother => Err(ApiError::IdempotencyKeyReused),
            Reserved::Answered(sealed) => {
                let place = IdempotencyKey::answer_place(row.id);
                let bytes = state
                    .sealer
                    .open(place, &sealed)
                    .map_err(ApiError::internal)?;
                let reply = serde_json::from_slice(&bytes).map_err(ApiError::internal)?;
                Ok(Admission::Again(reply))
            }
        }
    }

    /// Makes an answer ready to be stored.
    pub(crate) fn seal(&self, reply: &Reply) -> Result<Sealed, ApiError> {
        let bytes = serde_json::to_vec(reply).map_err(ApiError::internal)?;
        let place = IdempotencyKey::answer_place(self.row.id);
        let sealed = self.sealer.seal(place, &bytes);
        sealed.map(Sealed).map_err(ApiError::internal)
    }

    /// Stores the answer, in the transaction of what it tells of. False: the request took
    /// so long that another has taken its place, so that nothing of it may be kept.
    pub(crate) fn store(
        &self,
        connection: &mut AnyConnection,
        Sealed(answer): &Sealed,
    ) -> QueryResult<bool> {
        let row = &self.row;
        IdempotencyKey::complete(connection, row.id, row.token, answer, self.kept_until)
    }

    /// Remembers that the transaction which stored the answer has been committed.
    pub(crate) fn mark_stored(&self) {
        self.stored.store(true, Ordering::Release);
    }

    /// Whether the answer has been stored with its effect.
    pub(crate) fn is_stored(&self) -> bool {
        self.stored.load(Ordering::Acquire)
    }

    /// Gives the key free again, unless there is an answer: a commit may have succeeded
    /// though its caller was told otherwise.
    pub(crate) async fn release(&self, state: &State) -> Result<(), ApiError> {
        let (id, token) = (self.row.id, self.row.token);
        state
            .write(move |connection| Ok(IdempotencyKey::release(connection, id, token)?))
            .await
    }
}
