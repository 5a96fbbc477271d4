//! Queries whose SQL differs between the databases in ways that Diesel knows but
//! its `MultiConnection` derive does not pass on: `on_conflict`, `union`.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};

use super::connection::{AnyConnection, MultiBackend};

/// Renders the wrapped query in the dialect of whichever database it runs on.
///
/// It rests on a hook that the derive makes public without documenting it, so this
/// stays the only place that uses it, and Diesel's minor version is pinned.
#[derive(Debug, Clone, Copy)]
pub struct PerBackend<S>(pub S);

impl<S: QueryFragment<Pg> + QueryFragment<Sqlite>> QueryFragment<MultiBackend> for PerBackend<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(&self.0, out)
    }
}

impl<S: Query> Query for PerBackend<S> {
    type SqlType = S::SqlType;
}

impl<S: QueryId> QueryId for PerBackend<S> {
    type QueryId = PerBackend<S::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = S::HAS_STATIC_QUERY_ID;
}

impl<S> RunQueryDsl<AnyConnection> for PerBackend<S> {}
