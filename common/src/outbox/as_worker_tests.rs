//! Claims and settles the way workers do.

use super::settle::settle_plain_blocking;
use super::{ClaimRequest, Claimed, Settled, Settlement};
use crate::db::{Db, DbError};
use crate::test_support::destination_policy;

pub(super) fn claim(db: &Db, request: ClaimRequest) -> Vec<Claimed> {
    db.with_generic_plans()
        .write_autocommit_blocking(move |c| Ok::<_, DbError>(super::claim(c, &request)?))
        .unwrap()
}

/// First what is plain, and in a transaction what is left.
pub(super) fn settle(db: &Db, mut batch: Vec<Settlement>) -> Settled {
    let plain = settle_plain_blocking(&db.with_generic_plans(), &batch).unwrap();
    batch.retain(|settlement| !plain.contains(&(settlement.id, settlement.token)));
    if batch.is_empty() {
        return Settled {
            rows: plain.len(),
            ..Settled::default()
        };
    }
    let settled = settle_in_a_transaction(db, batch);
    Settled {
        rows: plain.len() + settled.rows,
        ..settled
    }
}

pub(super) fn settle_in_a_transaction(db: &Db, batch: Vec<Settlement>) -> Settled {
    db.with_generic_plans()
        .write_blocking(move |c| {
            Ok::<_, DbError>(crate::settlement::settle(c, &batch, &destination_policy())?)
        })
        .unwrap()
}
