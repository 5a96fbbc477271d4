//! Shapes of queries: what is searched for and sorted by.

use beadle_tests::{Client, Reply, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use super::{World, must_be_answered};
use crate::endpoints::{ENDPOINTS, Endpoint};

beadle_tests::both_backends!(
    a_field_is_sorted_by_once,
    a_search_for_a_long_text_costs_the_others_nothing,
);

/// Terms of an order: with twice the work for each, the last one would take for ever.
const MANY: usize = 60;

/// A search by POST, and a field that its results can be sorted by.
fn searches() -> impl Iterator<Item = (&'static Endpoint, &'static str)> {
    let field = |path: &str| match path {
        "/api/system/webhook-event-log/search" => "sequence",
        _ => "insertInstant",
    };
    let searches = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.path.ends_with("/search") && endpoint.method == "POST");
    searches.map(move |endpoint| (endpoint, field(endpoint.path)))
}

async fn search(client: &Client, path: &str, criteria: Value) -> Reply {
    client.post(path, &json!({"search": criteria})).await
}

/// The same field again and again, however it is written.
fn orders(field: &str) -> [String; 3] {
    let repeat = |term: &str| vec![term; MANY].join(",");
    let upper = field.to_uppercase();
    [
        repeat(field),
        repeat(&format!("{field} DESC")),
        repeat(&format!("{field},{upper}, {field} ASC,{field} DESC")),
    ]
}

async fn a_field_is_sorted_by_once(db: TestDatabase) {
    let mut world = World::start(db).await;
    let innocent = world.innocent().await;
    // A key that is locked to a tenant may search for some, one of an operator for all.
    for client in [&world.hostile.client, &world.app.client] {
        innocent
            .endures("sorted by one field many times", async || {
                for (endpoint, field) in searches() {
                    sort_by_repeated(client, endpoint.path, field).await;
                }
            })
            .await;
    }
    world.read_everything().await;
    world.check_alive();
}

async fn sort_by_repeated(client: &Client, path: &str, field: &str) {
    for order in orders(field) {
        let replies = [
            search(client, path, json!({"orderBy": order})).await,
            by_query(client, path, &order).await,
        ];
        for reply in replies {
            must_be_refused(path, &reply);
        }
    }
    if path == "/api/user/search" {
        let fields = vec![json!({"name": "email", "order": "desc"}); MANY];
        let reply = search(client, path, json!({"sortFields": fields})).await;
        must_be_refused(path, &reply);
    }
}

async fn by_query(client: &Client, path: &str, order: &str) -> Reply {
    let order = order.replace(' ', "%20");
    client.get(&format!("{path}?orderBy={order}")).await
}

#[track_caller]
fn must_be_refused(path: &str, reply: &Reply) {
    let refused = reply.status == 400 || reply.status == 401;
    assert!(refused, "{path} answers {} {}", reply.status, reply.text());
}

/// The criteria that are text, as the samples have them.
fn texts(endpoint: &Endpoint) -> Vec<String> {
    let quoted = endpoint.sample.replace("$", "");
    let sample: Value = serde_json::from_str(&quoted).unwrap();
    let criteria = sample["search"].as_object().unwrap().iter();
    let texts = criteria.filter(|(_, value)| value.is_string());
    texts.map(|(name, _)| name.clone()).collect()
}

async fn a_search_for_a_long_text_costs_the_others_nothing(db: TestDatabase) {
    let mut world = World::start(db).await;
    for number in 0..100 {
        let body = json!({"emailTemplate": {
            "name": format!("Template {number}"),
            "defaultSubject": "Subject",
            "defaultHtmlTemplate": "<p>Text</p>",
            "defaultTextTemplate": "Text",
        }});
        let made = world.app.client.post("/api/email/template", &body).await;
        made.ok();
    }
    // As much as a body may hold, and of what is worst to look for.
    let needles = [
        "t".repeat(1_000_000),
        "*t".repeat(500_000),
        "İ".repeat(400_000),
    ];
    let mut attacks = Vec::new();
    for (endpoint, _) in searches() {
        for text in texts(endpoint) {
            for needle in &needles {
                let criteria = json!({&text: needle});
                let body = json!({"search": criteria}).to_string().into_bytes();
                attacks.push((format!("{} by {text}", endpoint.path), endpoint.path, body));
            }
        }
    }
    let innocent = world.innocent().await;
    for (what, path, body) in &attacks {
        let client = &world.app.client;
        let reply = client
            .try_send(Method::POST, path, Some(body.clone()))
            .await;
        must_be_answered(what, &reply.unwrap());
    }
    innocent
        .endures("a search by name for a megabyte", async || {
            let (what, path, body) = attacks
                .iter()
                .find(|(_, path, _)| *path == "/api/email/template/search")
                .unwrap();
            let client = &world.app.client;
            let reply = client
                .try_send(Method::POST, path, Some(body.clone()))
                .await;
            must_be_answered(what, &reply.unwrap());
        })
        .await;
    world.check_alive();
}
