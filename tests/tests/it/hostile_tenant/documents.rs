//! Shapes of documents: how deep they are, what their members are called, and what patches
//! make of them.

use beadle_tests::{Client, Reply, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use super::{World, must_be_answered};
use crate::endpoints::{ENDPOINTS, Endpoint, Stock};

beadle_tests::both_backends!(
    a_patch_that_nests_ends_nobody,
    a_patch_that_copies_costs_the_others_nothing,
    whatever_is_stored_can_be_read_changed_and_deleted,
    what_the_server_was_told_of_a_device_can_be_read,
);

const PATCH: &str = "application/json-patch+json";

fn arrays(depth: usize) -> Value {
    (0..depth).fold(json!([]), |inner, _| json!([inner]))
}

/// Copies an array into its own innermost one, which doubles its depth each time: over a
/// hundred thousand levels in half a megabyte.
fn nesting() -> Value {
    let mut depth = 50;
    let mut operations = vec![json!({"op": "add", "path": "/x", "value": arrays(depth)})];
    while depth < 100_000 {
        let path = format!("/x{}", "/0".repeat(depth + 1));
        operations.push(json!({"op": "copy", "from": "/x", "path": path}));
        depth = 2 * depth + 1;
    }
    operations.into()
}

/// Copies a large array as often as a patch may.
fn copying() -> Value {
    let large = json!({"op": "add", "path": "/x", "value": vec![0; 450_000]});
    let copy = json!({"op": "copy", "from": "/x", "path": "/y"});
    std::iter::once(large).chain(vec![copy; 499]).collect()
}

async fn a_patch_that_nests_ends_nobody(db: TestDatabase) {
    let mut world = World::start(db).await;
    let stock = Stock::create(&world.app.client).await;
    let innocent = world.innocent().await;
    let nesting = nesting();
    innocent
        .endures("a patch that nests", async || {
            for endpoint in ENDPOINTS
                .iter()
                .filter(|endpoint| endpoint.method == "PATCH")
            {
                let client = stock.client.with("content-type", PATCH);
                let reply = client.patch(&stock.path(endpoint), &nesting).await;
                reply.must_be(400);
            }
            let own = world.hostile.client.with("content-type", PATCH);
            let reply = own.patch(&world.hostile.path(), &nesting).await;
            reply.must_be(400);
        })
        .await;
    world.read_everything().await;
    world.check_alive();
}

async fn a_patch_that_copies_costs_the_others_nothing(db: TestDatabase) {
    let mut world = World::start(db).await;
    let innocent = world.innocent().await;
    let own = world.hostile.client.with("content-type", PATCH);
    let copying = copying().to_string().into_bytes();
    innocent
        .endures("a patch that copies", async || {
            let path = world.hostile.path();
            let reply = own.try_send(Method::PATCH, &path, Some(copying.clone()));
            must_be_answered("a patch that copies", &reply.await.unwrap());
        })
        .await;
    world.check_alive();
}

/// Where an endpoint takes any JSON that there is.
const FREE: &[(&str, &str)] = &[
    ("/api/tenant", "/tenant/data"),
    ("/api/application", "/application/data"),
    ("/api/user", "/user/data"),
    ("/api/user/registration", "/registration/data"),
    ("/api/webhook", "/webhook/data"),
    ("/api/api-key", "/apiKey/metaData/attributes"),
    ("/api/system/audit-log", "/auditLog/data"),
    ("/api/system/audit-log", "/auditLog/oldValue"),
    ("/api/system/audit-log", "/auditLog/newValue"),
    ("/api/user/action", "/eventInfo/data"),
];

/// Documents that a reader may choke on.
fn documents() -> Vec<(String, Value)> {
    let mut documents: Vec<(String, Value)> = [1, 30, 58, 60, 62, 63, 64, 65, 66, 100, 110, 122]
        .map(|depth| (format!("{depth} levels"), json!({"a": arrays(depth)})))
        .into();
    // What a parser calls its own. As text it may hold more than a reader takes.
    let texts = ["1", "x", "", "[1]", "null", "1e999999999", "{\"a\":1}"].map(str::to_owned);
    let texts = texts.into_iter().chain([arrays(100).to_string()]);
    for text in texts {
        for name in ["Number", "RawValue"] {
            let name = format!("$serde_json::private::{name}");
            let shown: String = text.chars().take(10).collect();
            let inner = json!({name.clone(): text});
            let deep = (0..50).fold(inner.clone(), |inner, _| json!([inner]));
            documents.push((format!("{name}: {shown}"), inner.clone()));
            documents.push((format!("{name}: {shown}, inside"), json!({"a": inner})));
            documents.push((format!("{name}: {shown}, deep inside"), json!({"a": deep})));
        }
    }
    documents.push(("zero bytes".to_owned(), json!({"a\0": "b\0c"})));
    documents.push(("an empty name".to_owned(), json!({"": {"": null}})));
    documents
}

fn creation(path: &str) -> &'static Endpoint {
    let creates = |endpoint: &&Endpoint| endpoint.method == "POST" && endpoint.short_path() == path;
    ENDPOINTS.iter().find(creates).unwrap()
}

async fn whatever_is_stored_can_be_read_changed_and_deleted(db: TestDatabase) {
    let mut world = World::start(db).await;
    let stock = Stock::create(&world.app.client).await;
    for (path, pointer) in FREE {
        for (what, document) in documents() {
            let what = format!("{what} in {pointer}");
            let endpoint = creation(path);
            let mut body: Value = serde_json::from_str(&stock.sample(endpoint)).unwrap();
            *body.pointer_mut(pointer).unwrap() = document.clone();
            let reply = stock.client.post(path, &body).await;
            must_be_answered(&what, &reply);
            if reply.status == 200 {
                must_be_kept(&stock.client, path, (&what, pointer, &document), &reply).await;
            }
        }
    }
    world.read_everything().await;
    world.check_alive();
}

/// What was stored is answered as it was, can be changed and is gone when it is deleted.
async fn must_be_kept(
    client: &Client,
    path: &str,
    (what, pointer, document): (&str, &str, &Value),
    made: &Reply,
) {
    let made = made.json();
    if let Some(stored) = made.pointer(pointer) {
        let (stored, sent) = (stored.to_string(), document.to_string());
        assert_eq!(stored, sent, "{what} is stored as something else");
    }
    // A registration is found by two Ids, and an action is kept.
    let noun = pointer.split('/').nth(1).unwrap();
    if path == "/api/user/registration" || noun == "eventInfo" {
        return;
    }
    let id = &made[noun]["id"];
    let object = format!(
        "{path}/{}",
        id.as_str().map_or(id.to_string(), str::to_owned)
    );
    client.get(&object).await.ok();
    if path == "/api/system/audit-log" {
        return;
    }
    for media_type in ["application/json", "application/merge-patch+json"] {
        let client = client.with("content-type", media_type);
        client.patch(&object, &json!({noun: {}})).await.ok();
    }
    let reply = client.delete(&object).await;
    assert_eq!(reply.status, 200, "{what} cannot be deleted");
}

async fn what_the_server_was_told_of_a_device_can_be_read(db: TestDatabase) {
    let mut world = World::start(db).await;
    let user = world.hostile.user("gavin", json!({})).await;
    for depth in (50..70).chain(110..128) {
        let mut body = crate::scene::taking(&world.reward, &user, &user);
        body["eventInfo"] = json!({"data": {"a": arrays(depth)}});
        let client = &world.hostile.client;
        let reply = client.post("/api/user/action", &body).await;
        must_be_answered(&format!("{depth} levels"), &reply);
    }
    world.read_everything().await;
    let search = json!({"search": {"eventType": "user.action", "numberOfResults": 1000}});
    let path = "/api/system/webhook-event-log/search";
    world.app.client.post(path, &search).await.ok();
    world.check_alive();
}
