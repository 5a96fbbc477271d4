//! A column that holds JSON as text.

use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::sql_type::{SingleBackend, multi_sql};

/// A value stored as JSON text. Text, because it then works the same on both databases.
#[derive(Debug, Clone, PartialEq, Eq, Default, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Json<T: fmt::Debug>(pub T);

/// What a JSON column may hold.
pub trait Stored: Serialize + DeserializeOwned + fmt::Debug + Send + Sync + 'static {}
impl<T: Serialize + DeserializeOwned + fmt::Debug + Send + Sync + 'static> Stored for T {}

impl<T: Stored> ToSql<Text, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: Stored> ToSql<Text, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: Stored, DB> FromSql<Text, DB> for Json<T>
where
    DB: Backend + SingleBackend,
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, DB>>::from_sql(bytes)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

multi_sql!(Json<T>, Text, Stored);
