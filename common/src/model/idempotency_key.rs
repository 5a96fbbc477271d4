//! Requests that carry an `Idempotency-Key`: reserved before they are carried out, and
//! completed with their answer in the transaction of what they do.
//!
//! A row without an answer is a request under way. From its expiration on, a row is as
//! good as gone: that of a process that died in between blocks nobody for long.

use diesel::prelude::*;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::db::{AnyConnection, PerBackend};
use crate::id::{IdempotencyKeyId, ReservationToken};
use crate::schema::idempotency_keys;
use crate::seal::AssociatedData;
use crate::unix_millis::UnixMillis;

/// Expired rows that are removed at once: few enough that nobody waits for it, although each
/// may hold a long answer.
const PRUNED_AT_ONCE: i64 = 100;

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
    pub expiration_instant: UnixMillis,
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
    pub fn answer_place(id: IdempotencyKeyId) -> AssociatedData {
        AssociatedData {
            column: "idempotency_keys.answer",
            row: Uuid::from(id),
        }
    }

    /// Reserves this request, unless there is one with the same key. It touches no other row,
    /// so that those who come back all at once, after their server has died, never wait for
    /// each other in a circle. On PostgreSQL it needs no transaction.
    pub fn reserve(
        &self,
        connection: &mut AnyConnection,
        now: UnixMillis,
    ) -> QueryResult<Reserved> {
        if self.take_place(connection, now)? {
            return Ok(Reserved::Fresh);
        }
        let found = idempotency_keys::table
            .find(self.id)
            .select(Self::as_select())
            .first(connection)
            .optional()?;
        Ok(match found {
            // Given up between the two.
            None => Reserved::UnderWay,
            Some(found) if found.request_hash != self.request_hash => Reserved::OfAnother,
            Some(found) => found.answer.map_or(Reserved::UnderWay, Reserved::Answered),
        })
    }

    /// Adds the row, or takes the place of one that has expired. The same statement looks and
    /// writes: one that is completed at the last moment has not expired.
    fn take_place(&self, connection: &mut AnyConnection, now: UnixMillis) -> QueryResult<bool> {
        let place = diesel::insert_into(idempotency_keys::table)
            .values(self)
            .on_conflict(idempotency_keys::id)
            .do_update()
            .set(self);
        let has_expired = idempotency_keys::expiration_instant.le(now);
        let place = diesel::query_dsl::methods::FilterDsl::filter(place, has_expired);
        Ok(PerBackend(place).execute(connection)? == 1)
    }

    /// Stores the answer, in the transaction of what it tells of. False: the reservation is
    /// no longer the caller's, who must then undo everything.
    pub fn complete(
        connection: &mut AnyConnection,
        id: IdempotencyKeyId,
        token: ReservationToken,
        answer: &[u8],
        expiration: UnixMillis,
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

    /// Removes some rows that have expired, and returns how many. Those that somebody is about
    /// to take over are left to them. Call it in a write transaction.
    pub fn prune(connection: &mut AnyConnection, now: UnixMillis) -> QueryResult<usize> {
        let expired = idempotency_keys::table
            .filter(idempotency_keys::expiration_instant.le(now))
            .order(idempotency_keys::expiration_instant)
            .limit(PRUNED_AT_ONCE)
            .select(idempotency_keys::id);
        let expired: Vec<IdempotencyKeyId> = match connection {
            AnyConnection::Pg(connection) => expired.for_update().skip_locked().load(connection)?,
            AnyConnection::Sqlite(connection) => expired.load(connection)?,
        };
        let expired = idempotency_keys::table.filter(idempotency_keys::id.eq_any(expired));
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
    use std::sync::mpsc::channel;
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;
    use crate::db::{Db, DbError};
    use crate::test_support::both_databases;

    fn row(key: u128, request: u8, expiration: i64) -> IdempotencyKey {
        IdempotencyKey {
            id: Uuid::from_u128(key).into(),
            request_hash: vec![request],
            token: ReservationToken::random(),
            answer: None,
            expiration_instant: UnixMillis::from_millis(expiration),
        }
    }

    fn reserve(db: &Db, row: &IdempotencyKey, now: i64) -> Reserved {
        let row = row.clone();
        db.write_blocking(move |connection| {
            Ok::<_, DbError>(row.reserve(connection, UnixMillis::from_millis(now))?)
        })
        .unwrap()
    }

    fn prune(db: &Db, now: i64) -> usize {
        let now = UnixMillis::from_millis(now);
        db.write_blocking(move |c| Ok::<_, DbError>(IdempotencyKey::prune(c, now)?))
            .unwrap()
    }

    fn complete(db: &Db, row: &IdempotencyKey) -> bool {
        let (id, token) = (row.id, row.token);
        db.write_blocking(move |connection| {
            let until = UnixMillis::from_millis(1_000);
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

    fn what_is_completed_at_the_last_moment_is_not_carried_out_again(db: &Db) {
        let (first, heir) = (row(1, 7, 60), row(1, 7, 120));
        assert_eq!(reserve(db, &first, 0), Reserved::Fresh);
        assert!(complete(db, &first));
        assert_eq!(reserve(db, &heir, 60), Reserved::Answered(b"done".to_vec()));
    }

    /// Whoever completes a request still holds its row when the next one comes for it.
    fn whoever_comes_while_it_is_being_completed_gets_the_answer(db: &Db) {
        let (first, heir) = (row(1, 7, 60), row(1, 7, 120));
        assert_eq!(reserve(db, &first, 0), Reserved::Fresh);
        let (completed, is_completed) = channel();
        std::thread::scope(|scope| {
            let completing = scope.spawn(|| {
                let (id, token) = (first.id, first.token);
                db.write_blocking(move |connection| {
                    let until = UnixMillis::from_millis(1_000);
                    let done = IdempotencyKey::complete(connection, id, token, b"done", until)?;
                    completed.send(()).unwrap();
                    // Long enough for the other to look, and to wait for the row.
                    sleep(Duration::from_millis(200));
                    Ok::<_, DbError>(done)
                })
            });
            is_completed.recv().unwrap();
            assert_eq!(reserve(db, &heir, 60), Reserved::Answered(b"done".to_vec()));
            assert!(completing.join().unwrap().unwrap());
        });
    }

    /// What clients do whose server has been killed: all of them come back with their keys.
    fn many_who_come_back_at_once_do_not_stand_in_each_others_way(db: &Db) {
        const KEYS: u128 = 200;
        for key in 0..KEYS {
            assert_eq!(reserve(db, &row(key, 7, 60), 0), Reserved::Fresh);
        }
        let take_over = |keys: Vec<u128>| {
            let fresh = keys.into_iter().map(|key| {
                let heir = row(key, 7, 120);
                if key % 16 == 0 {
                    // A worker does that meanwhile.
                    prune(db, 60);
                }
                usize::from(reserve(db, &heir, 60) == Reserved::Fresh)
            });
            fresh.sum::<usize>()
        };
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    // Each begins elsewhere, and half of them go backwards.
                    let turn = |n| (n + thread * KEYS / 4) % KEYS;
                    let mut keys: Vec<u128> = (0..KEYS).map(turn).collect();
                    if thread % 2 == 1 {
                        keys.reverse();
                    }
                    scope.spawn(move || take_over(keys))
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(taken, usize::try_from(KEYS).unwrap());
    }

    fn expired_rows_are_pruned(db: &Db) {
        for key in 1..=20 {
            assert_eq!(reserve(db, &row(key, 7, 60), 0), Reserved::Fresh);
        }
        assert_eq!(reserve(db, &row(21, 7, 120), 60), Reserved::Fresh);
        assert_eq!((prune(db, 60), prune(db, 60)), (20, 0));
        assert_eq!(reserve(db, &row(21, 7, 120), 60), Reserved::UnderWay);
    }

    both_databases!(
        a_request_is_carried_out_once,
        what_came_to_nothing_may_be_tried_again,
        whoever_was_taken_for_dead_cannot_complete,
        what_is_completed_at_the_last_moment_is_not_carried_out_again,
        whoever_comes_while_it_is_being_completed_gets_the_answer,
        many_who_come_back_at_once_do_not_stand_in_each_others_way,
        expired_rows_are_pruned,
    );
}
