//! What all searches share: order and pages. The database searches.

use serde_json::Value;

use super::field::{Field, Kind, given};
use super::input::Object;
use super::problem::Prefix;
use crate::model::search::{Sort, Window};

const DEFAULT_RESULTS: i64 = 25;
/// Results of one page at most.
const MOST_RESULTS: i64 = 1000;
/// Characters of a text to look for.
const LONGEST_CRITERION: usize = 256;

/// A criterion that is a text.
#[must_use]
pub const fn text(name: &'static str) -> Field {
    given(
        name,
        Kind::Text,
        "A part of it, ignoring case; with `*` for anything, all of it.",
    )
}

/// The part of the results that is asked for.
#[must_use]
pub fn read_window(criteria: &Object<'_>) -> Window {
    let start = count(criteria, "startRow").unwrap_or(0);
    let results = count(criteria, "numberOfResults").unwrap_or(DEFAULT_RESULTS);
    for (member, number) in [("startRow", start), ("numberOfResults", results)] {
        if number < 0 {
            criteria.refuse(Prefix::Invalid, member);
        }
    }
    Window {
        start: start.max(0),
        results: results.clamp(0, MOST_RESULTS),
    }
}

/// A text to look for, read as [`pattern`](crate::model::search::pattern) says. The
/// database may compare all of it at each place of a text, so it is short.
#[must_use]
pub fn text_criterion(criteria: &Object<'_>, member: &str) -> Option<String> {
    criteria.short_text(member, LONGEST_CRITERION)
}

/// A yes or no, which a query spells as a word.
#[must_use]
pub fn flag(criteria: &Object<'_>, member: &str) -> Option<bool> {
    match criteria.value(member)?.as_str().map(str::trim) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some("") => None,
        Some(_) => {
            criteria.refuse(Prefix::CouldNotConvert, member);
            None
        }
        None => Some(criteria.flag(member, false)),
    }
}

/// One official client writes 1 as `true` and 0 as `false`.
#[must_use]
pub fn count(criteria: &Object<'_>, member: &str) -> Option<i64> {
    match criteria.value(member).and_then(Value::as_str) {
        Some("true") => Some(1),
        Some("false") => Some(0),
        _ => criteria.integer(member),
    }
}

/// Fields to sort by, from `orderBy`: `name ASC, id DESC`. `fields` are those that exist.
#[must_use]
pub fn read_order(criteria: &Object<'_>, fields: &[&'static str], default: &str) -> Vec<Sort> {
    let text = criteria.text("orderBy");
    let order = parse_order(text.as_deref().unwrap_or(default), fields);
    if order.is_none() {
        criteria.errors().refuse_because(
            Prefix::Invalid,
            &criteria.path("orderBy"),
            format!(
                "results can be ordered by {}, each once and with ASC or DESC",
                fields.join(", ")
            ),
        );
    }
    order.unwrap_or_default()
}

/// No field twice: it would change nothing, and so there are never more terms than fields.
fn parse_order(text: &str, fields: &[&'static str]) -> Option<Vec<Sort>> {
    let mut sorts: Vec<Sort> = Vec::new();
    for part in text.split(',') {
        let sort = parse_sort(part, fields)?;
        if sorts.iter().any(|earlier| earlier.field == sort.field) {
            return None;
        }
        sorts.push(sort);
    }
    Some(sorts)
}

fn parse_sort(text: &str, fields: &[&'static str]) -> Option<Sort> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let field = *fields.iter().find(|field| **field == name)?;
    let descending = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("asc") => false,
        Some(word) if word.eq_ignore_ascii_case("desc") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some(Sort { field, descending })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::problem::Collector;

    #[test]
    fn an_order_is_a_list_of_fields() {
        let fields = ["id", "name"];
        let sort = |field, descending| Sort { field, descending };
        assert_eq!(
            parse_order("name", &fields),
            Some(vec![sort("name", false)])
        );
        assert_eq!(
            parse_order("name desc, id ASC", &fields),
            Some(vec![sort("name", true), sort("id", false)])
        );
        for odd in ["", "url", "name down", "name asc asc", "name,,id"] {
            assert_eq!(parse_order(odd, &fields), None, "{odd}");
        }
    }

    #[test]
    fn an_order_names_no_field_twice() {
        let fields = ["id", "name"];
        for odd in ["id,id", "id asc, id desc", "id, name, id"] {
            assert_eq!(parse_order(odd, &fields), None, "{odd}");
        }
        assert_eq!(parse_order(&["id"; 300_000].join(","), &fields), None);
    }

    #[test]
    fn pages_come_in_odd_spellings() {
        let errors = Collector::new();
        let members = json!({"numberOfResults": "true", "startRow": "false"});
        let criteria = Object::root(members.as_object().unwrap(), &errors);
        let window = Window {
            start: 0,
            results: 1,
        };
        assert_eq!(read_window(&criteria), window);
    }
}
