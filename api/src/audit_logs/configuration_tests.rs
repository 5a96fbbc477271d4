//! Promises of the audit log about changes of the configuration.

use beadle_common::id::ApiKeyId;
use beadle_common::resources::webhooks::WebhookResource;
use beadle_common::resources::{self, Actor, Context, ResourceError};
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::test_support::{NOON, TestApp, both_databases};

const ID: &str = "2f1c1f0e-7d3c-4c86-b8a4-3d1f6a7a2c55";
/// Stands in everything that is secret, and nowhere else.
const SECRET: &str = "Hush0123456789abcdef";

both_databases!(
    a_change_leaves_one_entry,
    a_refused_change_leaves_none,
    what_is_rolled_back_leaves_none,
    an_entry_says_what_was_and_what_is,
    a_signing_key_leaves_entries_without_it,
    a_tenant_takes_what_it_was_with_it,
);

/// What can be configured: a path, what creates it, and a change.
fn nouns() -> Vec<(&'static str, Value, Value)> {
    vec![
        (
            "/api/webhook",
            json!({"webhook": {
                "url": format!("https://receiver.example/{SECRET}"), "connectTimeout": 1, "readTimeout": 1,
                "headers": {"X-Token": SECRET}, "httpAuthenticationUsername": "me",
                "httpAuthenticationPassword": SECRET,
            }}),
            json!({"webhook": {"description": "Another", "headers": {"X-More": SECRET}}}),
        ),
        (
            "/api/api-key",
            json!({"apiKey": {"name": "Support", "key": SECRET}}),
            json!({"apiKey": {"permissions": {"endpoints": {"/api/user": ["GET"]}}}}),
        ),
    ]
}

async fn entries(app: &TestApp) -> Vec<Value> {
    let found = app.get("/api/system/audit-log/search").await.ok();
    let mut entries = found["auditLogs"].as_array().unwrap().clone();
    entries.reverse();
    assert!(!found.to_string().contains(SECRET), "{found}");
    entries
}

async fn a_change_leaves_one_entry(app: &TestApp) {
    for (path, new, change) in nouns() {
        let noun = new.as_object().unwrap().keys().next().unwrap().clone();
        let path = format!("{path}/{ID}");
        let before = entries(app).await.len();
        app.post(&path, new.clone()).await.ok();
        app.advance(1);
        app.put(&path, new).await.ok();
        app.advance(1);
        app.patch(&path, change).await.ok();
        app.advance(1);
        assert_eq!(app.delete(&path).await.status, 200, "{path}");
        app.advance(1);
        let entries = entries(app).await.split_off(before);
        let messages: Vec<&str> = entries
            .iter()
            .map(|entry| entry["message"].as_str().unwrap())
            .collect();
        let expected = ["created", "updated", "updated", "deleted"];
        assert_eq!(messages, expected.map(|verb| format!("{verb} {noun} {ID}")));
        let values = entries
            .iter()
            .map(|entry| (entry["oldValue"].is_object(), entry["newValue"].is_object()));
        let expected = [(false, true), (true, true), (true, true), (true, false)];
        assert_eq!(values.collect::<Vec<_>>(), expected, "{path}");
    }
}

async fn a_refused_change_leaves_none(app: &TestApp) {
    for (path, _, change) in nouns() {
        let path = format!("{path}/{ID}");
        assert_eq!(app.patch(&path, change).await.status, 404, "{path}");
        assert_eq!(app.delete(&path).await.status, 404, "{path}");
        assert_eq!(app.post(&path, json!({})).await.status, 400, "{path}");
    }
    assert_eq!(entries(app).await, Vec::<Value>::new());
}

async fn what_is_rolled_back_leaves_none(app: &TestApp) {
    let context = Context {
        actor: Actor::api_key(ApiKeyId::random(), None, None),
        now: UnixMillis::from_millis(NOON),
        sealer: app.state.sealer.clone(),
        placeholder: None,
    };
    let (_, new, _) = nouns().swap_remove(0);
    let work = move |connection: &mut _| -> Result<(), ApiError> {
        let members = new.as_object().unwrap();
        let created: Result<WebhookResource, ResourceError> =
            resources::create(connection, &context, None, members);
        created?;
        Err(ApiError::NotFound)
    };
    app.state.write(work).await.unwrap_err();
    assert_eq!(entries(app).await, Vec::<Value>::new());
}

async fn an_entry_says_what_was_and_what_is(app: &TestApp) {
    let (_, new, change) = nouns().swap_remove(0);
    let path = format!("/api/webhook/{ID}");
    app.post(&path, new).await.ok();
    app.advance(1);
    app.patch(&path, change).await.ok();
    let entries = entries(app).await;
    let [_, entry] = entries.as_slice() else {
        panic!("two entries: {entries:?}");
    };
    assert_eq!(entry["oldValue"]["url"], "https://receiver.example");
    assert_eq!(entry["oldValue"].get("description"), None);
    assert_eq!(entry["newValue"]["description"], "Another");
    let data = json!({"changedSecrets": ["headers"], "id": ID, "noun": "webhook"});
    assert_eq!(entry["data"], data);
    let user = entry["insertUser"].as_str().unwrap();
    assert!(user.starts_with("API key "), "{user}");
}

async fn a_signing_key_leaves_entries_without_it(app: &TestApp) {
    let secret = format!("{SECRET}{SECRET}");
    let key = json!({"key": {"algorithm": "HS256", "name": "Signs", "secret": secret}});
    app.post(&format!("/api/key/import/{ID}"), key).await.ok();
    app.advance(1);
    let path = format!("/api/key/{ID}");
    app.put(&path, json!({"key": {"name": "Signs more"}}))
        .await
        .ok();
    app.advance(1);
    assert_eq!(app.delete(&path).await.status, 200);
    let messages: Vec<Value> = entries(app)
        .await
        .iter()
        .map(|entry| entry["message"].clone())
        .collect();
    let expected = ["created", "updated", "deleted"].map(|verb| format!("{verb} key {ID}"));
    assert_eq!(json!(messages), json!(expected));
}

async fn a_tenant_takes_what_it_was_with_it(app: &TestApp) {
    let path = format!("/api/tenant/{ID}");
    let tenant = json!({"tenant": {"name": "Pied Piper", "emailConfiguration": {
        "host": "mail.example", "username": "me", "password": SECRET,
        "additionalHeaders": [{"name": "X-Token", "value": SECRET}], "own": SECRET,
    }}});
    app.post(&path, tenant).await.ok();
    app.advance(1);
    let change = json!({"tenant": {
        "captcha": {"secretKey": SECRET}, "data": {"a": 1}, "emailConfiguration": {"password": "other"},
    }});
    app.patch(&path, change).await.ok();
    app.advance(1);
    let told =
        json!({"auditLog": {"insertUser": "me", "message": "Said", "newValue": "Pied Piper"}});
    app.post("/api/system/audit-log", told).await.ok();
    let before = entries(app).await;
    assert_eq!(before[1]["newValue"]["name"], "Pied Piper");
    assert_eq!(
        before[1]["newValue"]["emailConfiguration"]["host"],
        "mail.example"
    );
    let secrets = json!(["emailConfiguration.password"]);
    assert_eq!(before[1]["data"]["changedSecrets"], secrets);
    app.advance(1);
    app.delete(&path).await.ok_empty();
    let entries = entries(app).await;
    let values: Vec<bool> = entries
        .iter()
        .map(|entry| entry.get("oldValue").is_some() || entry.get("newValue").is_some())
        .collect();
    assert_eq!(values, [false, false, true, false]);
    let messages = ["created", "updated"].map(|verb| json!(format!("{verb} tenant {ID}")));
    assert_eq!(
        [&entries[0]["message"], &entries[1]["message"]],
        [&messages[0], &messages[1]]
    );
    assert_eq!(entries[3]["message"], format!("deleted tenant {ID}"));
}
