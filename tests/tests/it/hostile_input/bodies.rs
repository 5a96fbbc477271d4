//! Bodies that are wrong as a whole, and bodies that are right but for one member.

use serde_json::Value;

use super::values::{hostile_values, nested};

/// Stands where raw text is put later.
const PLACE: &str = "@place@";

/// A body, and what is wrong with it.
pub type Body = (String, Vec<u8>);

/// Hostile values that each member meets. All that there are would take minutes, so that
/// members and endpoints share them out among themselves.
const MEETINGS: usize = 3;

/// The sample with each of its members, at every depth, replaced, left out and doubled.
/// Another `seed` chooses other values.
pub fn with_one_member_wrong(sample: &str, seed: usize) -> Vec<Body> {
    let original: Value = serde_json::from_str(sample).unwrap();
    let mut bodies = Vec::new();
    let mut values = hostile_values().into_iter().cycle().skip(seed);
    for pointer in pointers(&original, "") {
        let value = original.pointer(&pointer).unwrap().to_string();
        for _ in 0..MEETINGS {
            let raw = values.next().unwrap();
            let shown: String = String::from_utf8_lossy(&raw).chars().take(40).collect();
            bodies.push((
                format!("{pointer} = {shown}"),
                replaced(&original, &pointer, &raw),
            ));
        }
        bodies.push((
            format!("{pointer} with a NUL"),
            replaced(&original, &pointer, br#""\u0000""#),
        ));
        bodies.push((format!("no {pointer}"), without(&original, &pointer)));
        let Some((_, name)) = pointer.rsplit_once('/') else {
            continue;
        };
        let twice = format!("[7], \"{name}\": {value}");
        bodies.push((
            format!("{pointer} twice"),
            replaced(&original, &pointer, twice.as_bytes()),
        ));
    }
    bodies
}

/// JSON pointers of all that is in a value.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(values) => (0..).map(|at: u32| at.to_string()).zip(values).collect(),
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for (name, value) in inner {
        let pointer = format!("{at}/{name}");
        all.extend(pointers(value, &pointer));
        all.push(pointer);
    }
    all
}

fn replaced(original: &Value, pointer: &str, raw: &[u8]) -> Vec<u8> {
    let mut changed = original.clone();
    *changed.pointer_mut(pointer).unwrap() = PLACE.into();
    let text = changed.to_string();
    let (before, after) = text.split_once(&format!("\"{PLACE}\"")).unwrap();
    [before.as_bytes(), raw, after.as_bytes()].concat()
}

fn without(original: &Value, pointer: &str) -> Vec<u8> {
    let mut changed = original.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match changed.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(name)),
        Value::Array(values) => drop(values.remove(name.parse().unwrap())),
        _ => unreachable!("only these two have members"),
    }
    changed.to_string().into_bytes()
}

/// What is no object with members, or no JSON, or not all of it.
pub fn no_object(sample: &str) -> Vec<Body> {
    let mut bodies: Vec<Body> = [
        "",
        " ",
        "{",
        "}",
        "null",
        "[]",
        "[{}]",
        "1",
        "\"x\"",
        "{}{}",
        "{}x",
        "{\"\":{}}",
    ]
    .iter()
    .map(|text| (format!("the body {text}"), text.as_bytes().to_vec()))
    .collect();
    let long = [
        ("nested arrays", nested("[", "]", 100_000)),
        ("nested objects", nested("{\"a\":", "}", 100_000)),
        ("only opened", b"[".repeat(100_000)),
        ("no UTF-8", b"\xff\xfe{\0}\0".to_vec()),
        (
            "a byte order mark",
            ["\u{feff}", sample].concat().into_bytes(),
        ),
    ];
    bodies.extend(long.map(|(what, body)| (what.to_owned(), body)));
    for part in 1..8 {
        let end = sample.len() * part / 8;
        let cut = sample.as_bytes().get(..end).unwrap().to_vec();
        bodies.push((format!("cut after {end} bytes"), cut));
    }
    bodies
}

/// JSON Patches that cannot be applied, whatever they are applied to.
pub fn bad_patches() -> Vec<Body> {
    const PATCHES: &[&str] = &[
        r#"{}"#,
        r#"[1]"#,
        r#"[{}]"#,
        r#"[{"op": "dance", "path": "/x"}]"#,
        r#"[{"op": "add", "path": "x", "value": 1}]"#,
        r#"[{"op": "add", "path": "/a/b/c/d", "value": 1}]"#,
        r#"[{"op": "add", "path": "/userAction/options/99999999999999999999", "value": 1}]"#,
        r#"[{"op": "add", "path": "/userAction/options/-1", "value": 1}]"#,
        r#"[{"op": "add", "path": "/~2~", "value": 1}]"#,
        r#"[{"op": "add", "path": "/\u0000", "value": "\u0000"}]"#,
        r#"[{"op": "replace", "path": "", "value": null}]"#,
        r#"[{"op": "replace", "path": "", "value": [1]}]"#,
        r#"[{"op": "remove", "path": ""}]"#,
        r#"[{"op": "remove", "path": "/nothing"}]"#,
        r#"[{"op": "move", "from": "", "path": "/a"}]"#,
        r#"[{"op": "copy", "from": "", "path": "/a"}, {"op": "copy", "from": "", "path": "/a/b"}]"#,
        r#"[{"op": "test", "path": "/nothing", "value": 1}]"#,
    ];
    let patch = |text: &&str| (format!("the patch {text}"), text.as_bytes().to_vec());
    let mut patches: Vec<Body> = PATCHES.iter().map(patch).collect();
    // Each copy of the whole into itself would double it.
    let doubling = r#"{"op": "copy", "from": "", "path": "/a"},"#.repeat(40);
    let doubling = format!("[{}]", doubling.trim_end_matches(','));
    patches.push(("a patch that doubles".to_owned(), doubling.into_bytes()));
    patches
}
