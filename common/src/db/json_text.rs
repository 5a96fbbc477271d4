//! A column that holds JSON which Beadle only passes on.

use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::sql_type::{SingleBackend, multi_sql};

/// JSON of a client that is stored and shown as its text. Parsed, `[{"":0},…]` takes a hundred
/// times as much memory, and a page of results holds many such values.
#[derive(Clone, AsExpression, FromSqlRow, Serialize)]
#[diesel(sql_type = Text)]
#[serde(transparent)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// The value as text.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        // Only maps with keys that are no strings fail, and JSON of a client has none.
        Self(to_raw_value(value).unwrap_or_default())
    }

    /// An object without members.
    #[must_use]
    pub fn empty_object() -> Self {
        Self::of(&serde_json::Map::new())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl Default for JsonText {
    fn default() -> Self {
        Self::empty_object()
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonText {}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ToSql<Text, Pg> for JsonText {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
    }
}

impl ToSql<Text, Sqlite> for JsonText {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.as_str());
        Ok(IsNull::No)
    }
}

impl<DB> FromSql<Text, DB> for JsonText
where
    DB: Backend + SingleBackend,
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, DB>>::from_sql(bytes)?;
        Ok(Self(RawValue::from_string(text)?))
    }
}

multi_sql!(JsonText, Text);
