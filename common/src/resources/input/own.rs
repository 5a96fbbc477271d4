//! Members that only Beadle has. A client of FusionAuth does not know them and cannot send
//! them, so a PUT that is silent about them leaves them as they are; null removes them.

use serde_json::{Map, Value};

/// Gives `members`, the body of a PUT, what `stored` has at these paths and it does not name.
/// A path is a JSON Pointer that begins with the wrapper, which has to be there.
pub fn keep_own(members: &mut Map<String, Value>, stored: &Value, paths: &[&str]) {
    for path in paths {
        let mut names = path.split('/').skip(1);
        let wrapper = names.next().and_then(|wrapper| members.get_mut(wrapper));
        if let (Some(Value::Object(object)), Some(value)) = (wrapper, stored.pointer(path)) {
            keep_one(object, names, value);
        }
    }
}

fn keep_one<'a>(
    object: &mut Map<String, Value>,
    mut path: impl Iterator<Item = &'a str>,
    value: &Value,
) {
    let mut object = object;
    let Some(mut name) = path.next() else {
        return;
    };
    for next in path {
        let inner = object.entry(name).or_insert(Value::Null);
        if inner.is_null() {
            *inner = Value::Object(Map::new());
        }
        // What is no object is refused by whoever reads it.
        let Value::Object(inner) = inner else {
            return;
        };
        (object, name) = (inner, next);
    }
    object.entry(name).or_insert_with(|| value.clone());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(body: Value) -> Value {
        let stored = json!({"tenant": {
            "name": "A", "rank": 1, "email": {"host": "a", "limit": 2},
        }});
        let Value::Object(mut members) = body else {
            panic!("an object");
        };
        let paths = ["/tenant/rank", "/tenant/email/limit", "/tenant/email/none"];
        keep_own(&mut members, &stored, &paths);
        Value::Object(members)
    }

    #[test]
    fn what_is_not_named_is_kept_and_null_removes() {
        for (body, expected) in [
            (
                json!({"tenant": {"name": "B"}}),
                json!({"tenant": {"name": "B", "rank": 1, "email": {"limit": 2}}}),
            ),
            (
                json!({"tenant": {"rank": 3, "email": null}}),
                json!({"tenant": {"rank": 3, "email": {"limit": 2}}}),
            ),
            (
                json!({"tenant": {"rank": null, "email": {"host": "b", "limit": null}}}),
                json!({"tenant": {"rank": null, "email": {"host": "b", "limit": null}}}),
            ),
            (
                json!({"tenant": {"email": []}}),
                json!({"tenant": {"email": [], "rank": 1}}),
            ),
            (json!({}), json!({})),
            (json!({"tenant": 1}), json!({"tenant": 1})),
        ] {
            assert_eq!(kept(body.clone()), expected, "{body}");
        }
    }
}
