//! What searches share: patterns, order, pages. The database filters, sorts and pages.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::Bool;

/// A part of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many results come before it.
    pub start: i64,
    /// How many it has at most.
    pub results: i64,
}

impl Window {
    /// All of them.
    pub const ALL: Self = Self {
        start: 0,
        results: i64::MAX,
    };
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<Id> {
    /// How many there are before paging.
    pub total: i64,
    /// The part that was asked for, in its order.
    pub ids: Vec<Id>,
}

/// One field to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// As the API calls it.
    pub field: &'static str,
    /// The largest first.
    pub descending: bool,
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

/// Whether a column matches a criterion as [`pattern`] reads it, ignoring case. Null matches
/// nothing.
macro_rules! like {
    ($column:expr, $criterion:expr) => {{
        use $crate::db::lower;
        use $crate::model::search::pattern;
        lower($column.nullable())
            .like(lower(pattern($criterion)))
            .escape('\\')
    }};
}

/// What a query finds, which is built twice: to count, and for a part in this order.
macro_rules! found {
    ($connection:expr, $query:expr, $id:expr, $order:expr, $window:expr) => {{
        let total = $query.count().get_result($connection)?;
        let ids = $query
            .order($order)
            .limit($window.results)
            .offset($window.start)
            .select($id)
            .load($connection)?;
        $crate::model::search::Found { total, ids }
    }};
}
pub(crate) use {found, like};

/// What a field of the API is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// A column, or an expression, that always has a value.
    Always(&'static str),
    /// One that may have none. Such rows come last, upwards as well as down.
    Maybe(&'static str),
}

/// The `ORDER BY` of some fields, and of `last`, which makes every order unambiguous. Fields
/// that `column` does not know are left out.
///
/// As text, since Diesel nests each further term around the ones before it, and walks such a
/// nest in twice the time per term.
pub(crate) fn order(
    sorts: &[Sort],
    column: impl Fn(&str) -> Option<Column>,
    last: &'static str,
) -> SqlLiteral<Bool> {
    let mut order = String::new();
    for sort in sorts {
        let name = match column(sort.field) {
            Some(Column::Always(name)) => name,
            Some(Column::Maybe(name)) => {
                order.push_str(&format!("{name} IS NULL, "));
                name
            }
            None => continue,
        };
        let direction = if sort.descending { "DESC" } else { "ASC" };
        order.push_str(&format!("{name} {direction}, "));
    }
    order.push_str(last);
    sql(&order)
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;

    use super::{Column, *};
    use crate::db::{Db, DbError};
    use crate::test_support::both_databases;
    use diesel::sql_types::{Nullable, Text};

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

    fn found(db: &Db, text: &'static str, criterion: &str) -> Option<bool> {
        let criterion = criterion.to_owned();
        db.read_blocking(|connection| -> Result<Option<bool>, DbError> {
            let text = text.into_sql::<Text>();
            Ok(diesel::select(like!(text, &criterion)).get_result(connection)?)
        })
        .unwrap()
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
            let found = found(db, text, criterion);
            assert_eq!(found, Some(expected), "{criterion} in {text}");
        }
    }

    fn accents_have_a_case_too(db: &Db) {
        // PostgreSQL leaves them to the locale that the database was made with.
        let found = found(db, "Gräte", "GRÄ*");
        assert!(found == Some(true) || db.backend() == crate::db::Backend::Postgres);
    }

    fn null_is_like_nothing_and_no_fault(db: &Db) {
        let found = db.read_blocking(|connection| -> Result<Option<bool>, DbError> {
            let null = None::<String>.into_sql::<Nullable<Text>>();
            Ok(diesel::select(like!(null, "*")).get_result(connection)?)
        });
        assert_eq!(found.unwrap(), None);
    }

    #[test]
    fn an_order_is_one_text_however_many_terms_it_has() {
        let sort = |field, descending| Sort { field, descending };
        let column = |field: &str| match field {
            "name" => Some(Column::Always("name_normalized")),
            "expiry" => Some(Column::Maybe("expiry")),
            _ => None,
        };
        let sorts = [sort("expiry", true), sort("url", true), sort("name", false)];
        let order = order(&sorts, column, "id DESC");
        let text = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&order).to_string();
        let expected = "expiry IS NULL, expiry DESC, name_normalized ASC, id DESC -- binds: []";
        assert_eq!(text, expected);
    }

    both_databases!(
        case_does_not_matter,
        accents_have_a_case_too,
        null_is_like_nothing_and_no_fault,
    );
}
