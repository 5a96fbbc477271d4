//! Row locks: what keeps two transactions from changing the same row by what each of them
//! has read before the other wrote.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{QueryResult, RunQueryDsl};

use super::connection::{AnyConnection, MultiBackend};

/// How much others have to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowLock {
    /// Whoever wants to change the row. Rows that refer to it may be added meanwhile.
    Update,
    /// Those who add rows that refer to it, too: for a row that is about to be removed.
    Delete,
    /// Whoever wants to remove the row: for one that is about to be referred to without a
    /// foreign key.
    Reference,
}

/// A query whose rows are locked until the transaction ends. On PostgreSQL others wait, and
/// then see what was made of the rows. SQLite has one writer, whose transaction begins with
/// the lock on the whole file, so nothing has to be added there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locking<Q> {
    query: Q,
    lock: RowLock,
}

impl<Q> Locking<Q> {
    pub(crate) fn of(query: Q, lock: RowLock) -> Self {
        Self { query, lock }
    }
}

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for Locking<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        if let MultiBackend::Pg(_) = out.backend() {
            out.push_sql(match self.lock {
                RowLock::Update => " FOR NO KEY UPDATE",
                RowLock::Delete => " FOR UPDATE",
                RowLock::Reference => " FOR KEY SHARE",
            });
        }
        Ok(())
    }
}

impl<Q: Query> Query for Locking<Q> {
    type SqlType = Q::SqlType;
}

/// Connections tell these queries apart by their text.
impl<Q> QueryId for Locking<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> RunQueryDsl<AnyConnection> for Locking<Q> {}
