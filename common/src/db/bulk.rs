//! Many rows in one statement on PostgreSQL, passed as columns.
//!
//! A statement with a placeholder for each value of each row would be another one for each
//! number of rows, and be parsed anew each time. `unnest` takes any number of rows, and the
//! statement stays prepared. It stands among what is selected, where PostgreSQL takes a value
//! of each array for a row; after `FROM` it would first copy every array into a store of its
//! own, which takes longer than to insert a few rows. The same statement looks whether the
//! configuration is still what the rows rest on: it needs no transaction around it, and nothing
//! comes between the look and the write.

use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, SqlType, Text};
use diesel::{PgConnection, QueryResult, RunQueryDsl};

use super::config_epoch::ConfigEpoch;
use super::connection::AnyConnection;
use super::notifier::Notice;

/// `<insert> SELECT unnest(<column>), unnest(<column>), … FROM fits`
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
        for (position, column) in self.columns.iter().enumerate() {
            out.push_sql(if position == 0 {
                " SELECT unnest("
            } else {
                "), unnest("
            });
            column.walk_ast(out.reborrow())?;
        }
        out.push_sql(") FROM fits");
        Ok(())
    }
}

/// Rows of several tables in one statement, all of them or, if the configuration is not of this
/// epoch, none. It returns a row if they were added.
struct AllAtOnce<'a, const N: usize> {
    epoch: Option<ConfigEpoch>,
    notice: Option<Notice>,
    tables: [(&'static str, Bulk<'a>); N],
}

impl<const N: usize> QueryFragment<Pg> for AllAtOnce<'_, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH fits AS (SELECT");
        if let Some(epoch) = &self.epoch {
            out.push_sql(" FROM config_epoch WHERE id = 1 AND epoch = ");
            out.push_bind_param::<BigInt, _>(epoch.number())?;
        }
        out.push_sql(")");
        for (name, bulk) in &self.tables {
            out.push_sql(", ");
            out.push_sql(name);
            out.push_sql(" AS (");
            bulk.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(" SELECT");
        if let Some(notice) = &self.notice {
            out.push_sql(" pg_notify(");
            out.push_bind_param::<Text, _>(notice.channel())?;
            out.push_sql(", '')");
        }
        out.push_sql(" FROM fits");
        Ok(())
    }
}

/// No type of its own for each statement: connections keep it by its text.
impl<const N: usize> QueryId for AllAtOnce<'_, N> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<const N: usize> RunQueryDsl<PgConnection> for AllAtOnce<'_, N> {}

/// Adds rows of several tables if the configuration is of this epoch still, and returns whether
/// it was: on PostgreSQL in one statement, each table under a name that is not that of a table,
/// with a notice to other processes. On SQLite one by one in the transaction around it, where a
/// statement costs no round trip.
pub(crate) fn insert<'a, const N: usize>(
    connection: &mut AnyConnection,
    epoch: Option<ConfigEpoch>,
    notice: Option<Notice>,
    at_once: impl FnOnce() -> [(&'static str, Bulk<'a>); N],
    one_by_one: impl FnOnce(&mut AnyConnection) -> QueryResult<()>,
) -> QueryResult<bool> {
    match connection {
        AnyConnection::Pg(connection) => {
            let all = AllAtOnce {
                epoch,
                notice,
                tables: at_once(),
            };
            Ok(all.execute(connection)? > 0)
        }
        AnyConnection::Sqlite(_) => {
            if let Some(epoch) = epoch
                && ConfigEpoch::current(connection)? != epoch
            {
                return Ok(false);
            }
            one_by_one(connection)?;
            Ok(true)
        }
    }
}

/// One member of every row.
pub(crate) fn column<'r, R, V>(rows: &[&'r R], member: impl Fn(&'r R) -> V) -> Vec<V> {
    rows.iter().map(|row| member(row)).collect()
}
