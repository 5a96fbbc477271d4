//! What all searches share: criteria by query or by body, order, and pages. The database
//! searches; what it finds is written by [`crate::listing`].

use actix_web::http::Method;
use beadle_common::model::search::{Sort, Window};
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::Call;
use crate::input::Object;

const DEFAULT_RESULTS: i64 = 25;
/// Results of one page at most.
const MOST_RESULTS: i64 = 1000;
/// Characters of a text to look for.
const LONGEST_CRITERION: usize = 256;

/// The criteria of a search, wherever they came from.
#[derive(Debug)]
pub(crate) struct Criteria {
    members: Map<String, Value>,
    /// They stand in the body, within `search`.
    wrapped: bool,
}

impl Criteria {
    /// From the query of a GET, or from the body of a POST.
    pub(crate) async fn of(call: &mut Call) -> Result<Self, ApiError> {
        Self::with_lists(call, &[]).await
    }

    /// The same with criteria that are lists: in a query, those repeat their name.
    pub(crate) async fn with_lists(call: &mut Call, lists: &[&str]) -> Result<Self, ApiError> {
        if call.request().method() != Method::GET {
            return Ok(Self {
                members: call.body().await?.into_members()?,
                wrapped: true,
            });
        }
        let mut members = Map::new();
        // What one official client writes for a criterion that was left out.
        let pairs = call.query().pairs();
        for (name, value) in pairs.filter(|(_, value)| *value != "undefined") {
            if !lists.contains(&name) {
                members.insert(name.to_owned(), Value::from(value));
            } else if let Value::Array(list) = members
                .entry(name)
                .or_insert_with(|| Value::Array(Vec::new()))
            {
                list.push(Value::from(value));
            }
        }
        Ok(Self {
            members,
            wrapped: false,
        })
    }

    /// Reads the criteria, and lets the request pass if nothing is wrong with them.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Object<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let errors = match self.wrapped {
            true => Collector::new(),
            false => Collector::of_query(),
        };
        let root = Object::root(&self.members, &errors);
        let criteria = match self.wrapped {
            true => root.required_object("search"),
            false => Some(root),
        };
        let value = criteria.map(|criteria| read(&criteria)).transpose()?;
        errors.finish()?;
        value.ok_or_else(|| ApiError::field(Prefix::Missing, "search"))
    }
}

/// The part of the results that is asked for.
pub(crate) fn read_window(criteria: &Object<'_>) -> Window {
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

/// A text to look for, read as [`pattern`](beadle_common::model::search::pattern) says. The
/// database may compare all of it at each place of a text, so it is short.
pub(crate) fn text_criterion(criteria: &Object<'_>, member: &str) -> Option<String> {
    criteria.short_text(member, LONGEST_CRITERION)
}

/// A yes or no, which a query spells as a word.
pub(crate) fn flag(criteria: &Object<'_>, member: &str) -> Option<bool> {
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
pub(crate) fn count(criteria: &Object<'_>, member: &str) -> Option<i64> {
    match criteria.value(member).and_then(Value::as_str) {
        Some("true") => Some(1),
        Some("false") => Some(0),
        _ => criteria.integer(member),
    }
}

/// Fields to sort by, from `orderBy`: `name ASC, id DESC`. `fields` are those that exist.
pub(crate) fn read_order(
    criteria: &Object<'_>,
    fields: &[&'static str],
    default: &str,
) -> Vec<Sort> {
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
