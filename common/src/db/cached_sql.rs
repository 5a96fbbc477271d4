//! Statements written by hand that connections keep prepared.
//!
//! Diesel takes the text of `sql_query` for made up on the spot: it has PostgreSQL parse it
//! each time, which is a round trip of its own, and SQLite compile it. For text that does
//! not change that is waste.

use diesel::backend::Backend;
use diesel::deserialize::{self, QueryableByName};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LoadQuery;
use diesel::row::NamedRow;
use diesel::{QueryResult, RunQueryDsl};

/// A query of `sql_query` whose text is one of a few: prepared once for each connection.
///
/// It rests on a method of Diesel's that is public without being documented; see
/// [`PerBackend`](super::PerBackend).
///
/// Do not wrap text with values in it: every variant stays with the connection for good.
#[derive(Debug, Clone, Copy)]
pub struct CachedSql<Q>(pub Q);

impl<Q> CachedSql<Q> {
    /// Runs a statement that writes, and counts what it returns: rows that are to be counted
    /// need a `RETURNING`.
    ///
    /// It stands in the way of Diesel's own `execute`, which passes the statement on by
    /// reference: a reference does not know what this type says of the text, and the text
    /// would be made ready anew each time.
    pub fn execute<'query, C>(self, connection: &mut C) -> QueryResult<usize>
    where
        Self: LoadQuery<'query, C, Written>,
    {
        Ok(self.load(connection)?.len())
    }
}

/// A row that was written, whatever is returned of it.
#[derive(Debug)]
pub struct Written;

impl<DB: Backend> QueryableByName<DB> for Written {
    fn build<'a>(_row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        Ok(Self)
    }
}

impl<DB, Q> QueryFragment<DB> for CachedSql<Q>
where
    DB: Backend,
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

impl<Q: Query> Query for CachedSql<Q> {
    type SqlType = Q::SqlType;
}

/// Connections tell these queries apart by their text.
impl<Q> QueryId for CachedSql<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, C> RunQueryDsl<C> for CachedSql<Q> {}

/// A query with a list of so many values. On SQLite its text differs with their number, so
/// Diesel has it compiled each time, which takes as long as to run it. Short lists, as a lone
/// action has them, come again and again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CachedInList<Q> {
    query: Q,
    values: usize,
}

impl<Q> CachedInList<Q> {
    /// Lists that stay prepared, and with them as many texts of each query.
    const FEW: usize = 4;

    pub(crate) fn of(values: usize, query: Q) -> Self {
        Self { query, values }
    }
}

impl<DB, Q> QueryFragment<DB> for CachedInList<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        Ok(self.values <= Self::FEW || self.query.is_safe_to_cache_prepared(backend)?)
    }
}

impl<Q: Query> Query for CachedInList<Q> {
    type SqlType = Q::SqlType;
}

/// Connections tell these queries apart by their text.
impl<Q> QueryId for CachedInList<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, C> RunQueryDsl<C> for CachedInList<Q> {}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::sql_types::Text;

    use super::*;
    use crate::db::{AnyConnection, Db, DbError};
    use crate::test_support::both_databases;

    const RENAME: &str = "UPDATE pets SET name = $1 WHERE name <> $1 RETURNING 1";

    /// How many rows were written, and how many statements have become known.
    fn rename(db: &Db, name: &'static str) -> (usize, u64) {
        let before = db.statements();
        let rows = db.write_blocking(move |c| {
            let rename = diesel::sql_query(RENAME).bind::<Text, _>(name);
            Ok::<_, DbError>(match c {
                AnyConnection::Pg(c) => CachedSql(rename).execute(c)?,
                AnyConnection::Sqlite(c) => CachedSql(rename).execute(c)?,
            })
        });
        (rows.unwrap(), db.statements().since(before).kept)
    }

    fn what_writes_is_made_ready_once(db: &Db) {
        db.write_blocking(|c| {
            let pets = "CREATE TABLE pets (name TEXT); INSERT INTO pets VALUES ('Rex'), ('Max')";
            Ok::<_, DbError>(c.batch_execute(pets)?)
        })
        .unwrap();
        assert_eq!(rename(db, "Rex"), (1, 1));
        assert_eq!(rename(db, "Max"), (2, 0));
        assert_eq!(rename(db, "Max"), (0, 0));
    }

    both_databases!(what_writes_is_made_ready_once);
}
