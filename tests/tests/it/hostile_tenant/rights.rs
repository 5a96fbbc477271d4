//! What a key may do, and what only Beadle knows of an object.

use beadle_tests::{Client, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use super::{World, definition, merge};
use crate::scene::text;

beadle_tests::both_backends!(
    a_key_never_gains_by_losing,
    what_only_beadle_has_survives_a_client_that_does_not_know_it,
    a_locked_key_ties_no_webhooks,
);

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const EDIT: &str = "application/json-patch+json";

/// Ways to take away what a key is limited to.
fn losses() -> Vec<(&'static str, &'static str, Value)> {
    let key = |members: Value| json!({"apiKey": members});
    let permissions = |value: Value| key(json!({"name": "Reader", "permissions": value}));
    let remove = |path: &str| json!([{"op": "remove", "path": path}]);
    let nothing = json!({"endpoints": {}});
    vec![
        (
            "PATCH",
            JSON,
            permissions(json!({"endpoints": {"/api/user": null}})),
        ),
        ("PATCH", JSON, permissions(json!({"endpoints": null}))),
        ("PATCH", JSON, permissions(Value::Null)),
        ("PATCH", JSON, permissions(nothing.clone())),
        (
            "PATCH",
            MERGE,
            permissions(json!({"endpoints": {"/api/user": null}})),
        ),
        (
            "PATCH",
            MERGE,
            permissions(json!({"endpoints": {"/api/user": []}})),
        ),
        ("PATCH", MERGE, permissions(Value::Null)),
        (
            "PATCH",
            EDIT,
            remove("/apiKey/permissions/endpoints/~1api~1user"),
        ),
        ("PATCH", EDIT, remove("/apiKey/permissions/endpoints")),
        ("PATCH", EDIT, remove("/apiKey/permissions")),
        ("PUT", JSON, key(json!({"name": "Reader"}))),
        ("PUT", JSON, permissions(Value::Null)),
        ("PUT", JSON, permissions(json!({}))),
        ("PUT", JSON, permissions(nothing)),
    ]
}

async fn a_key_never_gains_by_losing(db: TestDatabase) {
    let world = World::start(db).await;
    let operator = &world.app.client;
    for (method, media_type, body) in losses() {
        let limited = json!({"apiKey": {
            "name": "Reader", "permissions": {"endpoints": {"/api/user": ["GET"]}},
        }});
        let made = operator.post("/api/api-key", &limited).await.ok();
        let reader = operator.with_key(text(&made, "/apiKey/key"));
        assert_eq!(reader.get("/api/user-action").await.status, 401);
        let path = format!("/api/api-key/{}", text(&made, "/apiKey/id"));
        let changing = operator.with("content-type", media_type);
        let method: Method = method.parse().unwrap();
        let changed = changing.send(method.clone(), &path, Some(&body)).await;
        let what = format!("{method} {media_type} {body}, answered {}", changed.status);
        assert!([200, 400].contains(&changed.status), "{what}");
        for path in ["/api/user-action", "/api/webhook", "/api/tenant"] {
            let status = reader.get(path).await.status;
            assert_eq!(status, 401, "{path} is open after {what}");
        }
        operator.delete(&path).await.ok();
    }
}

/// An object with members that only Beadle has, where it is, and how a client that does not
/// know them writes it back.
struct Own {
    path: String,
    /// Where the members stand.
    place: &'static str,
    own: Value,
    known: Value,
}

async fn objects(world: &World) -> Vec<Own> {
    let operator = &world.app.client;
    let key = json!({"key": {"name": "Signs mail", "algorithm": "EdDSA"}});
    let made = operator.post("/api/key/generate", &key).await.ok();
    let dkim = json!({"domain": "hooli.example", "selector": "a", "keyId": made["key"]["id"]});
    let webhook = json!({"webhook": {
        "url": "https://hooks.example/", "connectTimeout": 1000, "readTimeout": 1000,
        "eventsEnabled": {"user.action": true},
    }});
    let made = operator.post("/api/webhook", &webhook).await.ok();
    let hook = format!("/api/webhook/{}", text(&made, "/webhook/id"));
    let made = definition(operator, json!({"name": "Ban"})).await;
    vec![
        Own {
            path: hook,
            place: "/webhook",
            own: json!({
                "rateLimit": 5, "orderedBy": "user", "contactEmail": "ops@hooli.example",
            }),
            known: webhook,
        },
        Own {
            path: world.hostile.path(),
            place: "/tenant/emailConfiguration",
            own: json!({
                "rateLimit": 7, "dkim": dkim, "listUnsubscribe": "https://hooli.example/stop",
            }),
            known: json!({"tenant": {
                "name": "Hooli", "emailConfiguration": {"defaultFromName": "Hooli"},
            }}),
        },
        Own {
            path: format!("/api/user-action/{made}"),
            place: "/userAction",
            own: json!({"tenantIds": [world.innocent.id]}),
            known: json!({"userAction": {"name": "Ban"}}),
        },
    ]
}

/// The object with the members of its own.
fn with(known: &Value, place: &str, members: Value) -> Value {
    let mut whole = known.clone();
    merge(whole.pointer_mut(place).unwrap(), members);
    whole
}

async fn shown(operator: &Client, object: &Own, name: &str) -> Option<Value> {
    let answer = operator.get(&object.path).await.ok();
    answer.pointer(&format!("{}/{name}", object.place)).cloned()
}

async fn what_only_beadle_has_survives_a_client_that_does_not_know_it(db: TestDatabase) {
    let world = World::start(db).await;
    let operator = &world.app.client;
    for object in objects(&world).await {
        let whole = with(&object.known, object.place, object.own.clone());
        operator.put(&object.path, &whole).await.ok();
        operator.put(&object.path, &object.known).await.ok();
        for (name, value) in object.own.as_object().unwrap() {
            let kept = shown(operator, &object, name).await;
            assert_eq!(kept.as_ref(), Some(value), "{name} of {}", object.path);
            // Whoever knows it can take it away.
            let without = with(&object.known, object.place, json!({name: null}));
            operator.put(&object.path, &without).await.ok();
            let left = shown(operator, &object, name).await.unwrap_or(Value::Null);
            let gone = left.is_null() || left == json!([]);
            assert!(gone, "{name} of {} is {left}", object.path);
            operator.put(&object.path, &whole).await.ok();
        }
    }
}

async fn a_locked_key_ties_no_webhooks(db: TestDatabase) {
    let world = World::start(db).await;
    let operator = &world.app.client;
    let webhook = |tenant: &str| {
        json!({"webhook": {
            "url": "https://hooks.example/", "connectTimeout": 1000, "readTimeout": 1000,
            "tenantIds": [tenant],
        }})
    };
    let own = operator
        .post("/api/webhook", &webhook(&world.hostile.id))
        .await;
    let foreign = operator
        .post("/api/webhook", &webhook(&world.innocent.id))
        .await;
    let foreign = text(&foreign.ok(), "/webhook/id").to_owned();
    let before = operator.get("/api/webhook").await.ok();
    own.ok();
    for ids in [json!([]), json!([foreign])] {
        let body = json!({"tenant": {"name": "Hooli"}, "webhookIds": ids});
        for method in [Method::PATCH, Method::PUT] {
            let path = world.hostile.path();
            let reply = world.hostile.client.send(method, &path, Some(&body)).await;
            reply.must_be(400);
            assert_eq!(reply.error_codes(), ["[notAllowed]webhookIds"]);
        }
    }
    assert_eq!(operator.get("/api/webhook").await.ok(), before);
}
