//! Many rows in one statement on PostgreSQL, passed as columns.
//!
//! A statement with a placeholder for each value of each row would be another one for each
//! number of rows, and be parsed anew each time. `unnest` takes any number of rows, and the
//! statement stays prepared.

use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, SqlType};
use diesel::{PgConnection, QueryResult, RunQueryDsl};

use super::connection::AnyConnection;

/// `<head> unnest(<columns>) <tail>`.
pub(crate) struct Bulk<'a> {
    head: &'static str,
    columns: Vec<Box<dyn QueryFragment<Pg> + Send + 'a>>,
    tail: &'static str,
}

/// One column: an array of this SQL type.
struct Column<ST, V>(V, PhantomData<fn() -> ST>);

impl<ST, V> QueryFragment<Pg> for Column<ST, V>
where
    Pg: HasSqlType<ST>,
    V: ToSql<ST, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<ST, V>(&self.0)
    }
}

impl<'a> Bulk<'a> {
    /// A statement that has no columns yet.
    pub(crate) fn new(head: &'static str, tail: &'static str) -> Self {
        Self {
            head,
            columns: Vec::new(),
            tail,
        }
    }

    /// Adds a column: `ST` is the type of the array.
    #[must_use]
    pub(crate) fn column<ST, V>(mut self, values: V) -> Self
    where
        ST: SqlType + 'a,
        Pg: HasSqlType<ST>,
        V: ToSql<ST, Pg> + Send + 'a,
    {
        self.columns.push(Box::new(Column(values, PhantomData)));
        self
    }

    /// Runs it, and counts its rows.
    pub(crate) fn run(self, connection: &mut PgConnection) -> QueryResult<usize> {
        self.execute(connection)
    }
}

impl QueryFragment<Pg> for Bulk<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.head);
        out.push_sql(" unnest(");
        for (position, column) in self.columns.iter().enumerate() {
            if position > 0 {
                out.push_sql(", ");
            }
            column.walk_ast(out.reborrow())?;
        }
        out.push_sql(") ");
        out.push_sql(self.tail);
        Ok(())
    }
}

/// No type of its own for each statement: it is kept prepared by its text.
impl QueryId for Bulk<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<PgConnection> for Bulk<'_> {}

/// Adds rows: all at once on PostgreSQL, one by one on SQLite, where a statement costs no
/// round trip.
pub(crate) fn insert_all<'r, R>(
    connection: &mut AnyConnection,
    rows: &[&'r R],
    at_once: impl FnOnce(&[&'r R]) -> Bulk<'r>,
    one: impl Fn(&R, &mut AnyConnection) -> QueryResult<()>,
) -> QueryResult<()> {
    match connection {
        _ if rows.is_empty() => Ok(()),
        AnyConnection::Pg(connection) => at_once(rows).run(connection).map(drop),
        AnyConnection::Sqlite(_) => rows.iter().try_for_each(|row| one(row, connection)),
    }
}

/// One member of every row.
pub(crate) fn column<'r, R, V>(rows: &[&'r R], member: impl Fn(&'r R) -> V) -> Vec<V> {
    rows.iter().map(|row| member(row)).collect()
}
