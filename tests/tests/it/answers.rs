//! What each endpoint answers to a valid request, to an empty one and to one without an
//! object, as snapshots: the same on both databases.
//!
//! After a change that is meant: `INSTA_UPDATE=always script/test answers`, and read the
//! difference.

use std::collections::BTreeMap;

use beadle_tests::{Client, Reply, TestApp, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::endpoints::{ENDPOINTS, Endpoint, Stock};

beadle_tests::both_backends!(every_endpoint_answers_as_recorded);

async fn every_endpoint_answers_as_recorded(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let stock = Stock::create(&app.client).await;
    let mut records: BTreeMap<String, String> = BTreeMap::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| is_recorded(endpoint)) {
        let record = records.entry(name(endpoint)).or_default();
        for body in bodies(endpoint, &stock) {
            let reply = send(
                &stock.client,
                endpoint,
                &stock.path(endpoint),
                body.as_ref(),
            )
            .await;
            let what = body.map(|body| members(&body)).unwrap_or_default();
            let call = format!("{} {}{what}", endpoint.method, endpoint.path);
            record.push_str(&format!("{call}\n{}\n\n", shown(&reply)));
        }
    }
    for (name, record) in records {
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, record);
        });
    }
}

/// Not lists, since everything that came before is in them, and not what deletes. Where a
/// delivery is depends on how far the worker is.
fn is_recorded(endpoint: &Endpoint) -> bool {
    if endpoint.path == "/api/delivery/search" {
        return false;
    }
    let reads_one = endpoint.method == "GET" && endpoint.path.ends_with(['}', ']']);
    let numbered = endpoint.path.contains("LogId}");
    !endpoint.sample.is_empty() || reads_one && !numbered
}

/// One file for each resource: its path without `/api/` and without what follows an Id.
fn name(endpoint: &Endpoint) -> String {
    let path = endpoint.path.split(['[', '{']).next().unwrap_or_default();
    let path = path.trim_start_matches("/api/").trim_end_matches('/');
    path.replace('/', "_")
}

/// The mistakes first: what is right may only be done once.
fn bodies(endpoint: &Endpoint, stock: &Stock) -> Vec<Option<Value>> {
    if endpoint.sample.is_empty() {
        return vec![None];
    }
    let sample: Value = serde_json::from_str(&stock.sample(endpoint)).unwrap();
    let mut bodies = vec![Some(sample.clone())];
    if endpoint.method == "POST" {
        bodies.insert(0, Some(json!({})));
        let wrapper = sample
            .as_object()
            .unwrap()
            .iter()
            .find(|(_, value)| value.is_object());
        // Of the audit log that would be every change before; of keys, two without a
        // name in the order of their random Ids.
        let finds_too_much = ["/api/system/audit-log/search", "/api/api-key/search"];
        if let Some((wrapper, _)) = wrapper
            && !finds_too_much.contains(&endpoint.path)
        {
            bodies.insert(1, Some(json!({ wrapper: {} })));
        }
    }
    bodies
}

fn members(body: &Value) -> String {
    let text = body.to_string();
    match text.len() < 40 {
        true => format!(" {text}"),
        false => String::new(),
    }
}

/// A patch is sent as a merge patch, since the other kind would append to lists.
async fn send(client: &Client, endpoint: &Endpoint, path: &str, body: Option<&Value>) -> Reply {
    let method: Method = endpoint.method.parse().unwrap();
    let client = match endpoint.method {
        "PATCH" => client.with("content-type", "application/merge-patch+json"),
        _ => client.clone(),
    };
    client.send(method, path, body).await
}

fn shown(reply: &Reply) -> String {
    let body = match reply.json() {
        Value::Null => "nothing".to_owned(),
        body => format!("{:#}", redacted("", body)),
    };
    format!("{} {body}", reply.status)
}

/// What differs each time, told by its kind alone.
fn redacted(name: &str, value: Value) -> Value {
    const SECRETS: [&str; 5] = ["key", "kid", "secret", "signingSecret", "publicKey"];
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name.clone(), redacted(&name, value)))
            .collect(),
        Value::Array(values) => values
            .into_iter()
            .map(|value| redacted(name, value))
            .collect(),
        Value::String(_) if SECRETS.contains(&name) => "[secret]".into(),
        // Shrinks year by year.
        Value::String(_) if name == "localizedDuration" => "[duration]".into(),
        Value::String(text) if Uuid::parse_str(&text).is_ok() => "[id]".into(),
        Value::String(text) => Stock::without_unique(&text).into(),
        // Counts what came before.
        Value::Number(_) if name == "id" => "[number]".into(),
        Value::Number(number) if is_recent(number.as_i64()) => "[instant]".into(),
        other => other,
    }
}

/// Between 2024 and the far future that samples name.
fn is_recent(number: Option<i64>) -> bool {
    number.is_some_and(|number| (1_700_000_000_000..3_900_000_000_000).contains(&number))
}
