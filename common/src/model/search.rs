//! Searches that the database does: of what grows with use. What is configured by people
//! fits into memory, and is searched there.

use diesel::SqliteConnection;
use diesel::sql_types::Text;

/// A part of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many results come before it.
    pub start: i64,
    /// How many it has at most.
    pub results: i64,
}

/// One field to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// As the API calls it.
    pub field: &'static str,
    /// The largest first.
    pub descending: bool,
}

diesel::define_sql_function! {
    /// The text in lower case.
    fn lower(text: Text) -> Text;
}

/// Teaches SQLite's `lower` more than ASCII.
pub(crate) fn register(connection: &mut SqliteConnection) -> diesel::QueryResult<()> {
    lower_utils::register_impl(connection, |text: String| text.to_lowercase())
}

/// A criterion as a pattern for `LIKE … ESCAPE '\'`: `*` stands for anything; without
/// one, the text only has to contain it.
#[must_use]
pub fn pattern(criterion: &str) -> String {
    let mut pattern = String::with_capacity(criterion.len() + 2);
    for char in criterion.chars() {
        match char {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', char]),
            char => pattern.push(char),
        }
    }
    if criterion.contains('*') {
        pattern
    } else {
        format!("%{pattern}%")
    }
}

/// Whether a column matches a criterion as [`pattern`] reads it, ignoring case.
macro_rules! like {
    ($column:expr, $criterion:expr) => {{
        use $crate::model::search::{lower, pattern};
        lower($column).like(lower(pattern($criterion))).escape('\\')
    }};
}

/// Sorts a boxed query by fields of the API.
macro_rules! sorted {
    ($query:expr, $sorts:expr, $($field:literal => $column:expr),+ $(,)?) => {{
        let mut query = $query;
        for sort in $sorts {
            query = match (sort.field, sort.descending) {
                $(
                    ($field, false) => query.then_order_by($column.asc()),
                    ($field, true) => query.then_order_by($column.desc()),
                )+
                _ => query,
            };
        }
        query
    }};
}
pub(crate) use {like, sorted};

#[cfg(test)]
mod tests {
    use diesel::prelude::*;

    use super::*;
    use crate::db::{Db, DbError};
    use crate::test_support::both_databases;

    #[test]
    fn only_a_star_is_a_wildcard() {
        for (criterion, expected) in [
            ("ban", "%ban%"),
            ("ban*", "ban%"),
            ("*", "%"),
            ("100%_\\", "%100\\%\\_\\\\%"),
        ] {
            assert_eq!(pattern(criterion), expected);
        }
    }

    fn case_does_not_matter(db: &Db) {
        for (text, criterion, expected) in [
            ("Welcome", "ELC", true),
            ("Welcome", "e*", false),
            ("Welcome", "W*E", true),
            ("50% off", "50%", true),
            ("500 off", "50%", false),
            ("a_b", "a_", true),
            ("acb", "a_", false),
        ] {
            let found: bool = db
                .read_blocking(|connection| -> Result<bool, DbError> {
                    let query = diesel::select(like!(text, criterion));
                    Ok(query.get_result(connection)?)
                })
                .unwrap();
            assert_eq!(found, expected, "{criterion} in {text}");
        }
    }

    fn accents_have_a_case_too(db: &Db) {
        let found: bool = db
            .read_blocking(|connection| -> Result<bool, DbError> {
                Ok(diesel::select(like!("Gräte", "GRÄ*")).get_result(connection)?)
            })
            .unwrap();
        // PostgreSQL leaves them to the locale that the database was made with.
        assert!(found || db.backend() == crate::db::Backend::Postgres);
    }

    both_databases!(case_does_not_matter);
    both_databases!(accents_have_a_case_too);
}
