//! `lower`, which both databases know, and SQLite only for ASCII.

use diesel::SqliteConnection;
use diesel::sql_types::{Nullable, Text};

diesel::define_sql_function! {
    /// The text in lower case.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}

/// Teaches SQLite's `lower` more than ASCII. As before, it has nothing to say of null.
pub(crate) fn register(connection: &mut SqliteConnection) -> diesel::QueryResult<()> {
    lower_utils::register_impl(connection, |text: Option<String>| {
        text.map(|text| text.to_lowercase())
    })
}
