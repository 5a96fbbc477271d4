//! Statements written by hand that connections keep prepared.
//!
//! Diesel takes the text of `sql_query` for made up on the spot: it has PostgreSQL parse it
//! each time, which is a round trip of its own, and SQLite compile it. For text that does
//! not change that is waste.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{QueryResult, RunQueryDsl};

/// A query of `sql_query` whose text is one of a few: prepared once for each connection.
///
/// It rests on a method of Diesel's that is public without being documented; see
/// [`Native`](super::Native).
///
/// Do not wrap text with values in it: every variant stays with the connection for good.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<Q>(pub Q);

impl<DB, Q> QueryFragment<DB> for Prepared<Q>
where
    DB: diesel::backend::Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    /// Whatever the text says of itself.
    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

/// Connections tell these queries apart by their text.
impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, C> RunQueryDsl<C> for Prepared<Q> {}
