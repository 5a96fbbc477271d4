//! Requests that carry an `Idempotency-Key`: reserved before they are carried out, and
//! completed with their answer in the transaction of what they do.
//!
//! A row without an answer is a request under way. From its expiration on, a row is as
//! good as gone: that of a process that died in between blocks nobody for long.

use diesel::prelude::*;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::db::AnyConnection;
use crate::id::{IdempotencyKeyId, ReservationToken};
use crate::instant::Instant;
use crate::schema::idempotency_keys;
use crate::seal::Place;

/// Expired rows that one reservation removes at most: it adds one, so that they cannot
/// pile up, and never waits long.
const PRUNED_AT_ONCE: i64 = 16;

/// A request with a key.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = idempotency_keys, treat_none_as_null = true)]
pub struct IdempotencyKey {
    /// Primary key: a hash of whose key it is, of what endpoint, and of the key itself.
    pub id: IdempotencyKeyId,
    /// What tells the request from another one with the same key.
    pub request_hash: Vec<u8>,
    /// Proof of whoever carries out the request; who holds an older one cannot complete it.
    pub token: ReservationToken,
    /// The answer, sealed. None while the request is under way.
    pub answer: Option<Vec<u8>>,
    /// When the row stops to mean anything.
    pub expiration_instant: Instant,
}

/// What a request with a key finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// It is the first, or those before it have come to nothing: it may be carried out.
    Fresh,
    /// An equal one is under way, or was until its process died a moment ago.
    UnderWay,
    /// The key belongs to another request.
    OfAnother,
    /// An equal one was carried out: this is its answer, sealed.
    Answered(Vec<u8>),
}

impl IdempotencyKey {
    /// The Id of a key, of everything that says whose and which it is.
    #[must_use]
    pub fn id_of(parts: &[&[u8]]) -> IdempotencyKeyId {
        let hash: [u8; 32] = digest(parts);
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash;
        uuid::Builder::from_custom_bytes(first).into_uuid().into()
    }

    /// What a request is told from others by.
    #[must_use]
    pub fn hash_of(parts: &[&[u8]]) -> Vec<u8> {
        digest(parts).to_vec()
    }

    /// Where the sealed answer belongs.
    #[must_use]
    pub fn answer_place(id: IdempotencyKeyId) -> Place {
        Place {
            column: "idempotency_keys.answer",
            row: Uuid::from(id),
        }
    }

    /// Reserves this request, unless there is one with the same key. Removes some rows that
    /// have expired.
    ///
    /// # Errors
    /// Those of the database; a duplicate if another was faster.
    pub fn reserve(&self, connection: &mut AnyConnection, now: Instant) -> QueryResult<Reserved> {
        let found = idempotency_keys::table
            .find(self.id)
            .select(Self::as_select())
            .first(connection)
            .optional()?;
        let reserved = match found {
            None => {
                diesel::insert_into(idempotency_keys::table)
                    .values(self)
                    .execute(connection)?;
                Reserved::Fresh
            }
            Some(found) if found.expiration_instant <= now => self.take_over(connection, &found)?,
            Some(found) if found.request_hash != self.request_hash => Reserved::OfAnother,
            Some(found) => found.answer.map_or(Reserved::UnderWay, Reserved::Answered),
        };
        Self::prune(connection, now)?;
        Ok(reserved)
    }

    /// Takes the place of an expired row, unless somebody else was faster.
    fn take_over(&self, connection: &mut AnyConnection, expired: &Self) -> QueryResult<Reserved> {
        let same = idempotency_keys::table
            .find(self.id)
            .filter(idempotency_keys::token.eq(expired.token));
        let rows = diesel::update(same).set(self).execute(connection)?;
        Ok(match rows {
            0 => Reserved::UnderWay,
            _ => Reserved::Fresh,
        })
    }

    /// Stores the answer, in the transaction of what it tells of. False: the reservation is
    /// no longer the caller's, who must then undo everything.
    ///
    /// # Errors
    /// Those of the database.
    pub fn complete(
        connection: &mut AnyConnection,
        id: IdempotencyKeyId,
        token: ReservationToken,
        answer: &[u8],
        expiration: Instant,
    ) -> QueryResult<bool> {
        let own = idempotency_keys::table
            .find(id)
            .filter(idempotency_keys::token.eq(token));
        let rows = diesel::update(own)
            .set((
                idempotency_keys::answer.eq(answer),
                idempotency_keys::expiration_instant.eq(expiration),
            ))
            .execute(connection)?;
        Ok(rows == 1)
    }

    /// Gives up a reservation that came to nothing. One with an answer stays.
    ///
    /// # Errors
    /// Those of the database.
    pub fn release(
        connection: &mut AnyConnection,
        id: IdempotencyKeyId,
        token: ReservationToken,
    ) -> QueryResult<()> {
        let own = idempotency_keys::table
            .find(id)
            .filter(idempotency_keys::token.eq(token))
            .filter(idempotency_keys::answer.is_null());
        diesel::delete(own).execute(connection)?;
        Ok(())
    }

    /// Removes some rows that have expired, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub fn prune(connection: &mut AnyConnection, now: Instant) -> QueryResult<usize> {
        let expired: Vec<IdempotencyKeyId> = idempotency_keys::table
            .filter(idempotency_keys::expiration_instant.le(now))
            .order(idempotency_keys::expiration_instant)
            .limit(PRUNED_AT_ONCE)
            .select(idempotency_keys::id)
            .load(connection)?;
        if expired.is_empty() {
            return Ok(0);
        }
        // Looked at again: somebody may have taken one over since.
        let expired = idempotency_keys::table
            .filter(idempotency_keys::id.eq_any(expired))
            .filter(idempotency_keys::expiration_instant.le(now));
        diesel::delete(expired).execute(connection)
    }
}

/// A hash in which no part can pass for the end or the beginning of its neighbour.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        digest.update(length.to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, DbError};
    use crate::test_support::both_databases;

    fn row(key: u128, request: u8, expiration: i64) -> IdempotencyKey {
        IdempotencyKey {
            id: Uuid::from_u128(key).into(),
            request_hash: vec![request],
            token: ReservationToken::random(),
            answer: None,
            expiration_instant: Instant::from_millis(expiration),
        }
    }

    fn reserve(db: &Db, row: &IdempotencyKey, now: i64) -> Reserved {
        let row = row.clone();
        db.write_blocking(move |connection| {
            Ok::<_, DbError>(row.reserve(connection, Instant::from_millis(now))?)
        })
        .unwrap()
    }

    fn complete(db: &Db, row: &IdempotencyKey) -> bool {
        let (id, token) = (row.id, row.token);
        db.write_blocking(move |connection| {
            let until = Instant::from_millis(1_000);
            Ok::<_, DbError>(IdempotencyKey::complete(
                connection, id, token, b"done", until,
            )?)
        })
        .unwrap()
    }

    fn release(db: &Db, row: &IdempotencyKey) {
        let (id, token) = (row.id, row.token);
        db.write_blocking(move |connection| {
            Ok::<_, DbError>(IdempotencyKey::release(connection, id, token)?)
        })
        .unwrap();
    }

    #[test]
    fn a_part_does_not_run_into_the_next() {
        let (one, other): ([&[u8]; 2], [&[u8]; 2]) = ([b"ab", b"c"], [b"a", b"bc"]);
        assert_ne!(IdempotencyKey::id_of(&one), IdempotencyKey::id_of(&other));
        assert_ne!(
            IdempotencyKey::hash_of(&one),
            IdempotencyKey::hash_of(&other)
        );
        assert_eq!(IdempotencyKey::id_of(&one), IdempotencyKey::id_of(&one));
    }

    fn a_request_is_carried_out_once(db: &Db) {
        let first = row(1, 7, 60);
        assert_eq!(reserve(db, &first, 0), Reserved::Fresh);
        assert_eq!(reserve(db, &row(1, 7, 60), 1), Reserved::UnderWay);
        assert_eq!(reserve(db, &row(1, 8, 60), 1), Reserved::OfAnother);
        assert!(complete(db, &first));
        // A late release takes nothing away.
        release(db, &first);
        let answered = Reserved::Answered(b"done".to_vec());
        assert_eq!(reserve(db, &row(1, 7, 999), 999), answered);
        assert_eq!(reserve(db, &row(1, 8, 1_060), 1_000), Reserved::Fresh);
    }

    fn what_came_to_nothing_may_be_tried_again(db: &Db) {
        let first = row(1, 7, 60);
        assert_eq!(reserve(db, &first, 0), Reserved::Fresh);
        release(db, &first);
        assert_eq!(reserve(db, &row(1, 8, 60), 1), Reserved::Fresh);
    }

    fn whoever_was_taken_for_dead_cannot_complete(db: &Db) {
        let (dead, heir) = (row(1, 7, 60), row(1, 7, 120));
        assert_eq!(reserve(db, &dead, 0), Reserved::Fresh);
        assert_eq!(reserve(db, &heir, 60), Reserved::Fresh);
        assert!(!complete(db, &dead));
        release(db, &dead);
        assert!(complete(db, &heir));
    }

    fn expired_rows_go_as_others_come(db: &Db) {
        for key in 1..=20 {
            assert_eq!(reserve(db, &row(key, 7, 60), 0), Reserved::Fresh);
        }
        assert_eq!(reserve(db, &row(21, 7, 120), 60), Reserved::Fresh);
        assert_eq!(reserve(db, &row(22, 7, 120), 60), Reserved::Fresh);
        let left: i64 = db
            .read_blocking(|connection| {
                Ok::<_, DbError>(idempotency_keys::table.count().get_result(connection)?)
            })
            .unwrap();
        assert_eq!(left, 2);
    }

    both_databases!(
        a_request_is_carried_out_once,
        what_came_to_nothing_may_be_tried_again,
        whoever_was_taken_for_dead_cannot_complete,
        expired_rows_go_as_others_come,
    );
}
