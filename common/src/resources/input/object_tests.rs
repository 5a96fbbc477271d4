//! Promises about reading members.

use crate::id::UserId;
use crate::model::user_action::TransactionType;
use crate::unix_millis::UnixMillis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::object::*;
use crate::resources::problem::Collector;

/// What `read` makes of a body, and the problems it reports as `path: code`.
fn reading<T>(body: &str, read: impl FnOnce(&Object<'_>) -> T) -> (T, Vec<String>) {
    let body: Value = serde_json::from_str(body).unwrap();
    let errors = Collector::new();
    let value = read(&Object::root(body.as_object().unwrap(), &errors));
    let problems =
        match errors.finish() {
            Ok(()) => Vec::new(),
            Err(errors) => errors.to_json()["fieldErrors"]
                .as_object()
                .unwrap()
                .iter()
                .flat_map(|(path, problems)| {
                    problems.as_array().unwrap().iter().map(move |problem| {
                        format!("{path}: {}", problem["code"].as_str().unwrap())
                    })
                })
                .collect(),
        };
    (value, problems)
}

#[test]
fn texts_are_trimmed_and_blank_is_absent() {
    let body = r#"{"a": "  x ", "b": "   ", "c": null, "d": 7}"#;
    let (texts, problems) = reading(body, |body| {
        ["a", "b", "c", "d", "e"].map(|member| body.text(member))
    });
    assert_eq!(texts, [Some("x".to_owned()), None, None, None, None]);
    assert_eq!(problems, ["d: [invalidJSON]"]);
}

#[test]
fn a_required_text_is_reported_once_and_for_the_right_reason() {
    let body = format!(
        r#"{{"u": {{"blank": " ", "wrong": {{}}, "long": "{}"}}}}"#,
        "ä".repeat(6)
    );
    let (_, problems) = reading(&body, |body| {
        let user = body.required_object("u").unwrap();
        ["blank", "wrong", "long", "absent"].map(|member| user.required_text(member, 5))
    });
    assert_eq!(
        problems,
        [
            "u.absent: [blank]u.absent",
            "u.blank: [blank]u.blank",
            "u.long: [tooLong]u.long",
            "u.wrong: [invalidJSON]"
        ]
    );
}

#[test]
fn a_wrapper_may_be_missing_or_of_the_wrong_type() {
    let read = |body: &Object<'_>| body.required_object("user").is_some();
    assert_eq!(
        reading("{}", read),
        (false, vec!["user: [missing]user".to_owned()])
    );
    assert_eq!(
        reading(r#"{"user": []}"#, read),
        (false, vec!["user: [invalidJSON]".to_owned()])
    );
    assert_eq!(reading(r#"{"user": {}}"#, read), (true, vec![]));
}

#[test]
fn instants_come_as_numbers_or_texts() {
    for (given, expected) in [
        ("1690282558415", Some(1_690_282_558_415)),
        ("\" 1690282558415 \"", Some(1_690_282_558_415)),
        ("1690282558415.7", Some(1_690_282_558_415)),
        ("9223372036854776000", Some(i64::MAX)),
        ("\"\"", None),
        ("null", None),
    ] {
        let (instant, problems) = reading(&format!(r#"{{"expiry": {given}}}"#), |body| {
            body.instant("expiry")
        });
        assert_eq!(
            (instant.map(UnixMillis::millis), problems),
            (expected, vec![]),
            "{given}"
        );
    }
    let (_, problems) = reading(r#"{"expiry": "tomorrow"}"#, |body| body.instant("expiry"));
    assert_eq!(problems, ["expiry: [invalidJSON]"]);
}

#[test]
fn ids_are_canonical_in_any_case() {
    let text = "2D4A9F10-0C3B-4F3A-9B7A-1F6E0C9D8E7F";
    let (id, problems) = reading(&format!(r#"{{"id": "{text}"}}"#), |body| {
        body.id::<UserId>("id")
    });
    assert_eq!(id.unwrap().to_string(), text.to_lowercase());
    assert!(problems.is_empty());
    for wrong in [
        "\"x\"",
        "5",
        "\"2d4a9f100c3b4f3a9b7a1f6e0c9d8e7f\"",
        "\"{2d4a9f10-0c3b-4f3a-9b7a-1f6e0c9d8e7f}\"",
    ] {
        let (_, problems) = reading(&format!(r#"{{"id": {wrong}}}"#), |body| {
            body.required_id::<UserId>("id")
        });
        assert_eq!(problems, ["id: [invalidJSON]"], "{wrong}");
    }
}

#[test]
fn lists_drop_nulls_and_keep_positions() {
    let id = "2d4a9f10-0c3b-4f3a-9b7a-1f6e0c9d8e7f";
    let body = format!(r#"{{"action": {{"applicationIds": [null, "{id}", 5, "{id}"]}}}}"#);
    let (ids, problems) = reading(&body, |body| {
        body.object("action").unwrap().ids::<Uuid>("applicationIds")
    });
    assert_eq!(
        ids.iter()
            .map(|listed| listed.path.as_str())
            .collect::<Vec<_>>(),
        ["action.applicationIds[1]"]
    );
    assert_eq!(problems, ["action.applicationIds[2]: [invalidJSON]"]);
}

#[test]
fn nested_objects_know_where_they_stand() {
    let body = r#"{"userAction": {"options": [{"name": "A"}, {"name": ""}, "B"]}}"#;
    let (names, problems) = reading(body, |body| {
        let options = body.object("userAction").unwrap().objects("options");
        options
            .iter()
            .map(|option| option.required_text("name", 191))
            .collect::<Vec<_>>()
    });
    assert_eq!(names, ["A", ""]);
    assert_eq!(
        problems,
        [
            "userAction.options[1].name: [blank]userAction.options[1].name",
            "userAction.options[2]: [invalidJSON]"
        ]
    );
}

#[test]
fn flags_choices_and_data() {
    let body =
        json!({"yes": true, "word": "Any", "odd": "Most", "bad": "true", "data": {"a": [null]}});
    let (read, problems) = reading(&body.to_string(), |body| {
        (
            body.flag("yes", false),
            body.flag("bad", true),
            body.flag("absent", true),
            body.choice::<TransactionType>("word"),
            body.choice::<TransactionType>("odd"),
            Value::Object(body.data("data")),
        )
    });
    let expected = (
        true,
        true,
        true,
        Some(TransactionType::Any),
        None,
        json!({"a": [null]}),
    );
    assert_eq!(read, expected);
    assert_eq!(problems, ["bad: [invalidJSON]", "odd: [invalidJSON]"]);
}

#[test]
fn line_ends_become_those_of_the_web() {
    assert_eq!(unix_lines("a\r\nb\rc\nd"), "a\nb\nc\nd");
}

#[test]
fn a_text_has_no_nul_and_a_list_has_an_end() {
    let body = json!({"text": "a\u{0}b", "ids": vec![Value::Null; 1001]});
    let (_, problems) = reading(&body.to_string(), |body| {
        (body.text("text"), body.ids::<Uuid>("ids"))
    });
    assert_eq!(problems, ["ids: [tooMany]ids", "text: [invalidJSON]"]);
}
