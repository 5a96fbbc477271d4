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

/// `<insert> SELECT * FROM unnest(<columns>)`
pub(crate) struct Bulk<'a> {
    insert: &'static str,
    columns: Vec<Box<dyn QueryFragment<Pg> + 'a>>,
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
    /// `insert` names the table and its columns, in the order in which they follow.
    pub(crate) fn new(insert: &'static str) -> Self {
        Self {
            insert,
            columns: Vec::new(),
        }
    }

    /// Adds a column: `ST` is the type of the array.
    #[must_use]
    pub(crate) fn column<ST, V>(mut self, values: V) -> Self
    where
        ST: SqlType + 'a,
        Pg: HasSqlType<ST>,
        V: ToSql<ST, Pg> + 'a,
    {
        self.columns.push(Box::new(Column(values, PhantomData)));
        self
    }
}

impl QueryFragment<Pg> for Bulk<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.insert);
        out.push_sql(" SELECT * FROM unnest(");
        for (position, column) in self.columns.iter().enumerate() {
            if position > 0 {
                out.push_sql(", ");
            }
            column.walk_ast(out.reborrow())?;
        }
        out.push_sql(")");
        Ok(())
    }
}

/// Rows of several tables in one statement.
struct AllAtOnce<'a, const N: usize>([(&'static str, Bulk<'a>); N]);

impl<const N: usize> QueryFragment<Pg> for AllAtOnce<'_, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for (position, (name, bulk)) in self.0.iter().enumerate() {
            out.push_sql(if position == 0 { "WITH " } else { ", " });
            out.push_sql(name);
            out.push_sql(" AS (");
            bulk.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(" SELECT");
        Ok(())
    }
}

/// No type of its own for each statement: connections keep it by its text.
impl<const N: usize> QueryId for AllAtOnce<'_, N> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<const N: usize> RunQueryDsl<PgConnection> for AllAtOnce<'_, N> {}

/// Adds rows of several tables: on PostgreSQL in one statement, each table under a name that
/// is not that of a table. On SQLite one by one, where a statement costs no round trip.
pub(crate) fn insert<'a, const N: usize>(
    connection: &mut AnyConnection,
    at_once: impl FnOnce() -> [(&'static str, Bulk<'a>); N],
    one_by_one: impl FnOnce(&mut AnyConnection) -> QueryResult<()>,
) -> QueryResult<()> {
    match connection {
        AnyConnection::Pg(connection) => {
            AllAtOnce(at_once()).execute(connection)?;
            Ok(())
        }
        AnyConnection::Sqlite(_) => one_by_one(connection),
    }
}

/// One member of every row.
pub(crate) fn column<'r, R, V>(rows: &[&'r R], member: impl Fn(&'r R) -> V) -> Vec<V> {
    rows.iter().map(|row| member(row)).collect()
}
