//! What all searches share: criteria by query or by body, wildcards, order, and pages.
//!
//! For what is configured by people, which is never so much that it would not fit into
//! memory: rows are loaded, filtered and sorted here. Searches of what grows with use are
//! done by the database.

use std::cmp::Ordering;

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

/// A part of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    start: usize,
    results: usize,
}

impl Page {
    pub(crate) fn read(criteria: &Object<'_>) -> Self {
        let start = count(criteria, "startRow").unwrap_or(0);
        let results = count(criteria, "numberOfResults").unwrap_or(DEFAULT_RESULTS);
        for (member, number) in [("startRow", start), ("numberOfResults", results)] {
            if number < 0 {
                criteria.refuse(Prefix::Invalid, member);
            }
        }
        Self {
            start: usize::try_from(start).unwrap_or(0),
            results: usize::try_from(results.min(MOST_RESULTS)).unwrap_or(0),
        }
    }

    /// The same for a search that the database does.
    pub(crate) fn window(self) -> Window {
        let most = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Window {
            start: most(self.start),
            results: most(self.results),
        }
    }

    pub(crate) fn of<T>(self, rows: Vec<T>) -> impl Iterator<Item = T> {
        rows.into_iter().skip(self.start).take(self.results)
    }
}

/// A text to look for. Longer ones find nothing that a shorter one would not, and cost the
/// database much.
pub(crate) fn text_criterion(criteria: &Object<'_>, member: &str) -> Option<String> {
    const LONGEST: usize = 1000;
    criteria.short_text(member, LONGEST)
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

/// What rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A text, ignoring case.
    Text(String),
    /// Anything that counts.
    Number(i64),
}

impl Key {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_lowercase())
    }
}

/// Fields to sort by, each up or down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order(Vec<(&'static str, bool)>);

impl Order {
    /// From `orderBy`: `name ASC, id DESC`. `fields` are those that exist.
    pub(crate) fn read(criteria: &Object<'_>, fields: &[&'static str], default: &str) -> Self {
        let text = criteria.text("orderBy");
        let order = parse_order(text.as_deref().unwrap_or(default), fields);
        if order.is_none() {
            criteria.errors().refuse_because(
                Prefix::Invalid,
                &criteria.path("orderBy"),
                format!(
                    "results can be ordered by {}, each with ASC or DESC",
                    fields.join(", ")
                ),
            );
        }
        Self(order.unwrap_or_default())
    }

    /// The same for a search that the database does.
    pub(crate) fn sorts(&self) -> Vec<Sort> {
        let sort = |&(field, descending): &(&'static str, bool)| Sort { field, descending };
        self.0.iter().map(sort).collect()
    }

    pub(crate) fn sort<T>(&self, rows: &mut [T], key: impl Fn(&T, &str) -> Key) {
        rows.sort_by(|a, b| {
            let compare = |(field, down): &(&'static str, bool)| {
                let order = key(a, field).cmp(&key(b, field));
                if *down { order.reverse() } else { order }
            };
            self.0
                .iter()
                .map(compare)
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
    }
}

/// The names of fields that are known by more than those.
#[expect(
    clippy::indexing_slicing,
    reason = "constants know no iterators, and do not compile if this is wrong"
)]
pub(crate) const fn names<T, const N: usize>(fields: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut position = 0;
    while position < N {
        names[position] = fields[position].0;
        position += 1;
    }
    names
}

fn parse_order(text: &str, fields: &[&'static str]) -> Option<Vec<(&'static str, bool)>> {
    let parse = |part: &str| {
        let mut words = part.split_whitespace();
        let name = words.next()?;
        let field = fields.iter().find(|field| **field == name)?;
        let down = match words.next() {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("asc") => false,
            Some(word) if word.eq_ignore_ascii_case("desc") => true,
            Some(_) => return None,
        };
        words.next().is_none().then_some((*field, down))
    };
    text.split(',').map(parse).collect()
}

/// Whether a text matches a criterion, ignoring case. `*` stands for anything; without
/// one, the text only has to contain it.
pub(crate) fn matches(criterion: &str, text: &str) -> bool {
    let (criterion, text) = (criterion.to_lowercase(), text.to_lowercase());
    let mut parts = criterion.split('*');
    let Some(first) = parts.next().filter(|_| criterion.contains('*')) else {
        return text.contains(&criterion);
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = "";
    for part in parts {
        // The one before it was not the last, and may stand anywhere.
        match rest.split_once(last) {
            Some((_, after)) => rest = after,
            None => return false,
        }
        last = part;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (criterion, text, expected) in [
            ("elco", "Welcome", true),
            ("x", "Welcome", false),
            ("wel*", "Welcome", true),
            ("*come", "Welcome", true),
            ("elc*", "Welcome", false),
            ("*elc", "Welcome", false),
            ("w*c*e", "Welcome", true),
            ("w*e*e*e*e", "Welcome", false),
            ("ab*b", "ab", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("**", "a", true),
            ("*ä*", "GRÄTE", true),
        ] {
            assert_eq!(matches(criterion, text), expected, "{criterion} in {text}");
        }
    }

    #[test]
    fn an_order_is_a_list_of_fields() {
        let fields = ["id", "name"];
        assert_eq!(parse_order("name", &fields), Some(vec![("name", false)]));
        assert_eq!(
            parse_order("name desc, id ASC", &fields),
            Some(vec![("name", true), ("id", false)])
        );
        for odd in ["", "url", "name down", "name asc asc", "name,,id"] {
            assert_eq!(parse_order(odd, &fields), None, "{odd}");
        }
    }

    #[test]
    fn pages_come_in_odd_spellings() {
        let errors = Collector::new();
        let members = json!({"numberOfResults": "true", "startRow": "false"});
        let criteria = Object::root(members.as_object().unwrap(), &errors);
        assert_eq!(
            Page::read(&criteria),
            Page {
                start: 0,
                results: 1
            }
        );
        let rows: Vec<_> = Page {
            start: 1,
            results: 2,
        }
        .of(vec![1, 2, 3, 4])
        .collect();
        assert_eq!(rows, [2, 3]);
    }
}
