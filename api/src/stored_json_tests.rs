//! Free JSON of clients: whatever is taken can be shown, changed and deleted again, and what
//! is shown is what was sent.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::test_support::{TestApp, both_databases, nested};

both_databases!(
    whatever_is_taken_can_be_shown_changed_and_deleted,
    what_an_event_is_told_can_be_read_in_its_log,
);

const USER: &str = "/api/user/9af67e9a-8332-4c06-971c-463b6710c340";
const API_KEY: &str = "/api/api-key/7d4c3a44-0b1c-4a5e-9a58-2e0f0d6f3b77";

async fn rita(app: &TestApp) {
    let user = json!({"user": {"username": "rita", "password": "password"}});
    app.post(USER, user).await.ok();
}

/// Something with free data, as it is created, and where the data is.
struct Noun {
    path: String,
    body: Value,
    data: &'static str,
    /// Something else to change, and lists that show it.
    name: &'static str,
    lists: &'static [&'static str],
}

fn nouns() -> Vec<Noun> {
    let noun = |path: &str, body, data, name, lists| Noun {
        path: path.to_owned(),
        body,
        data,
        name,
        lists,
    };
    let receiver =
        json!({"url": "https://receiver.example/", "connectTimeout": 1, "readTimeout": 1});
    vec![
        noun(
            USER,
            json!({"user": {"username": "rita", "password": "password"}}),
            "/user/data",
            "/user/firstName",
            &["/api/user/search"],
        ),
        noun(
            "/api/application/3c219e58-ed0e-4b18-ad48-f4f92793ae32",
            json!({"application": {"name": "Forum"}}),
            "/application/data",
            "/application/name",
            &["/api/application"],
        ),
        noun(
            "/api/tenant/5e6f7081-92a3-4b4c-8d5e-6f708192a3b4",
            json!({"tenant": {"name": "Hooli"}}),
            "/tenant/data",
            "/tenant/name",
            &["/api/tenant", "/api/tenant/search"],
        ),
        noun(
            "/api/tenant/5e6f7081-92a3-4b4c-8d5e-6f708192a3b5",
            json!({"tenant": {"name": "Aviato"}}),
            "/tenant/formConfiguration",
            "/tenant/name",
            &["/api/tenant", "/api/tenant/search"],
        ),
        noun(
            "/api/webhook/2f1c1f0e-7d3c-4c86-b8a4-3d1f6a7a2c55",
            json!({ "webhook": receiver }),
            "/webhook/data",
            "/webhook/description",
            &["/api/webhook", "/api/webhook/search"],
        ),
        noun(
            API_KEY,
            json!({"apiKey": {"metaData": {}}}),
            "/apiKey/metaData/attributes",
            "/apiKey/name",
            &[],
        ),
    ]
}

/// Puts `value` where the pointer leads, whether there is something already or not.
fn put_at(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
}

/// Takes the noun with this data through its life. False: it was refused.
async fn lives(app: &TestApp, noun: &Noun, value: &Value) -> bool {
    let data = json!({ "v": value });
    let mut body = noun.body.clone();
    put_at(&mut body, noun.data, data.clone());
    let created = app.post(&noun.path, body).await;
    if created.status == 400 {
        return false;
    }
    let shown = |answer: Value| answer.pointer(noun.data).cloned();
    assert_eq!(shown(created.ok()), Some(data.clone()));
    assert_eq!(
        shown(app.get(&noun.path).await.ok()),
        Some(data.clone()),
        "{}",
        noun.path
    );
    for list in noun.lists {
        app.get(list).await.ok();
    }
    let operations = json!([
        {"op": "test", "path": noun.data, "value": data},
        {"op": "add", "path": noun.name, "value": "Another"},
    ]);
    let patched = app.json_patch(&noun.path, operations).await.ok();
    assert_eq!(patched.pointer(noun.name), Some(&json!("Another")));
    assert_eq!(shown(patched), Some(data.clone()));
    let mut merged = json!({});
    let mut at = String::new();
    for name in noun.name.split('/').skip(1) {
        put_at(&mut merged, &format!("{at}/{name}"), json!({}));
        at = format!("{at}/{name}");
    }
    put_at(&mut merged, noun.name, json!("A third"));
    let merged = app.patch(&noun.path, merged).await.ok();
    assert_eq!(shown(merged.clone()), Some(data.clone()));
    let put = app.put(&noun.path, merged.clone()).await.ok();
    assert_eq!(put, merged);
    assert_eq!(app.get(&noun.path).await.ok(), put);
    let hard = format!("{}?hardDelete=true", noun.path);
    app.delete(&hard).await.ok_empty();
    assert_eq!(app.get(&noun.path).await.status, 404);
    true
}

fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no infinity", |number| number.is_finite())
            .prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{20,40}\\.[0-9]{1,9}e-?[0-9]{1,3}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number.prop_map(|text| serde_json::from_str(&text).expect("a number")),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x1f\"\\\\{}\\[\\]$']{0,9}".prop_map(Value::from),
        (50_usize..80).prop_map(nested),
    ];
    let name = prop_oneof![
        any::<String>(),
        "[a-c]{0,2}",
        Just("$serde_json::private::Number".to_owned()),
        Just("$serde_json::private::RawValue".to_owned()),
    ];
    leaf.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

async fn whatever_is_taken_can_be_shown_changed_and_deleted(app: &TestApp) {
    let mut runner = TestRunner::deterministic();
    let mut taken = 0;
    for _ in 0..24 {
        let value = any_json().new_tree(&mut runner).unwrap().current();
        for noun in nouns() {
            taken += usize::from(lives(app, &noun, &value).await);
        }
    }
    assert!(taken > 40, "only {taken} were taken");
}

async fn what_an_event_is_told_can_be_read_in_its_log(app: &TestApp) {
    rita(app).await;
    let id = USER.rsplit('/').next();
    let ban = app
        .post("/api/user-action", json!({"userAction": {"name": "Ban"}}))
        .await
        .ok();
    let mut runner = TestRunner::deterministic();
    for round in 0..24 {
        let value = match round {
            // The body, `eventInfo` and `data` are three levels more.
            0 => nested(60),
            _ => any_json().new_tree(&mut runner).unwrap().current(),
        };
        let body = json!({
            "broadcast": true,
            "eventInfo": {"data": {"v": value}},
            "action": {"actioneeUserId": id, "actionerUserId": id, "userActionId": ban["userAction"]["id"]},
        });
        let taken = app.post("/api/user/action", body).await;
        if round > 0 && taken.status == 400 {
            continue;
        }
        let event = taken.ok()["action"]["event"].clone();
        let log = format!(
            "/api/system/webhook-event-log/{}",
            event["id"].as_str().unwrap()
        );
        assert!(app.get(&log).await.ok().to_string().contains("\"v\""));
        let search = "/api/system/webhook-event-log/search";
        app.get(search).await.ok();
    }
}
