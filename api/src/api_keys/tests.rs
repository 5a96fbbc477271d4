//! Promises of `/api/api-key`.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::model::api_key::ApiKey;
use serde_json::{Value, json};

use crate::test_support::{Answered, KEY, NOON, TestApp, api_key, both_databases};

const ID: &str = "7d4c3a44-0b1c-4a5e-9a58-2e0f0d6f3b77";
const PATH: &str = "/api/api-key/7d4c3a44-0b1c-4a5e-9a58-2e0f0d6f3b77";

both_databases!(
    a_key_is_made_used_changed_and_deleted,
    only_managers_manage_keys,
    all_mistakes_are_reported_at_once,
    a_locked_manager_stays_in_its_tenant,
    a_copy_has_the_permissions_of_its_source,
    a_key_gains_nothing_by_losing_its_permissions,
    a_key_without_limits_keeps_having_none,
    only_a_new_key_without_permissions_may_do_everything,
    a_search_never_shows_the_keys_themselves,
);

async fn with_key(
    app: &TestApp,
    key: &str,
    method: Method,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let request = TestRequest::with_uri(path)
        .method(method)
        .insert_header((AUTHORIZATION, key))
        .insert_header((CONTENT_TYPE, "application/json"))
        .set_payload(body.to_string());
    let answer = app.send(request).await;
    (answer.status, answer.body)
}

async fn a_key_is_made_used_changed_and_deleted(app: &TestApp) {
    let created = app
        .post(PATH, json!({"apiKey": {"keyManager": true}}))
        .await
        .ok();
    let key = created["apiKey"]["key"].as_str().unwrap().to_owned();
    assert_eq!(
        created["apiKey"],
        json!({
            "id": ID, "insertInstant": NOON, "key": key, "keyManager": false, "lastUpdateInstant": NOON,
            "metaData": {"attributes": {}}, "retrievable": true,
        })
    );
    assert_eq!(
        with_key(app, &key, Method::GET, "/api/tenant", json!({}))
            .await
            .0,
        200
    );
    let permissions = json!({"endpoints": {"/api/user": ["get", "GET"], "/api/api-key": ["GET"]}});
    let patch =
        json!({"apiKey": {"name": "Support", "permissions": permissions, "key": "another"}});
    let patched = app.patch(PATH, patch).await.ok();
    assert_eq!(
        patched["apiKey"]["permissions"],
        json!({"endpoints": {"/api/user": ["GET"]}})
    );
    assert_eq!(patched["apiKey"]["key"], json!(key));
    assert_eq!(app.get(PATH).await.ok(), patched);
    assert_eq!(
        with_key(app, &key, Method::GET, "/api/tenant", json!({}))
            .await
            .0,
        401
    );
    let put = app.put(PATH, json!({"apiKey": {}})).await.ok();
    assert!(put["apiKey"].get("name").is_none());
    assert_eq!(
        put["apiKey"]["permissions"],
        patched["apiKey"]["permissions"]
    );
    assert_eq!(app.delete(PATH).await.status, 200);
    assert_eq!(
        with_key(app, &key, Method::GET, "/api/tenant", json!({}))
            .await
            .0,
        401
    );
    assert_eq!(app.get(PATH).await.status, 404);
}

async fn only_managers_manage_keys(app: &TestApp) {
    app.add_key(api_key("plain")).await;
    for method in [
        Method::POST,
        Method::GET,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ] {
        assert_eq!(
            with_key(app, "plain", method, PATH, json!({"apiKey": {}}))
                .await
                .0,
            401
        );
    }
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    let first = json!({"apiKey": {"name": "A", "key": "0123456789abcdef", "retrievable": false}});
    let created = app.post(PATH, first).await.ok();
    assert!(created["apiKey"].get("key").is_none());
    let wrong = json!({"apiKey": {
        "name": "a", "key": "short", "tenantId": ID, "expirationInstant": "soon",
        "permissions": {"endpoints": {"/api/api-key": ["GET"]}},
    }, "sourceKeyId": "5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10"});
    assert_eq!(
        app.post("/api/api-key", wrong).await.codes(),
        [
            "[invalidJSON] on apiKey.expirationInstant",
            "[tooShort]apiKey.key",
            "[duplicate]apiKey.name",
            "[invalid]apiKey.permissions.endpoints",
            "[invalid]apiKey.tenantId",
            "[invalid]sourceKeyId",
        ]
    );
    let nameless = json!({"apiKey": {"retrievable": false, "key": "0123456789abcdef"}});
    assert_eq!(
        app.post("/api/api-key", nameless).await.codes(),
        ["[duplicate]apiKey.key", "[blank]apiKey.name"]
    );
    assert_eq!(
        app.post("/api/api-key", json!({})).await.codes(),
        ["[missing]apiKey"]
    );
    assert_eq!(app.get("/api/api-key").await.codes(), ["[missing]keyId"]);
}

async fn a_locked_manager_stays_in_its_tenant(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    app.add_key(ApiKey {
        tenant_id: Some(other),
        key_manager: true,
        ..api_key("locked")
    })
    .await;
    let (_, made) = with_key(
        app,
        "locked",
        Method::POST,
        "/api/api-key",
        json!({"apiKey": {}}),
    )
    .await;
    assert_eq!(made["apiKey"]["tenantId"], json!(other));
    let foreign = json!({"apiKey": {"tenantId": app.tenant}});
    assert_eq!(
        with_key(app, "locked", Method::POST, "/api/api-key", foreign)
            .await
            .0,
        400
    );
    app.post(PATH, json!({"apiKey": {}})).await.ok();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(
            with_key(app, "locked", method, PATH, json!({})).await.0,
            404
        );
    }
}

async fn a_copy_has_the_permissions_of_its_source(app: &TestApp) {
    let permissions = json!({"endpoints": {"/api/user": ["GET"]}});
    app.post(
        PATH,
        json!({"apiKey": {"name": "A", "permissions": permissions}}),
    )
    .await
    .ok();
    let copy = app
        .post("/api/api-key", json!({"sourceKeyId": ID}))
        .await
        .ok();
    assert_eq!(copy["apiKey"]["permissions"], permissions);
    assert!(copy["apiKey"].get("name").is_none());
}

/// What the key may see of two endpoints.
async fn sees(app: &TestApp, key: &str) -> [u16; 2] {
    let mut statuses = [0; 2];
    for (status, path) in statuses.iter_mut().zip(["/api/user-action", "/api/tenant"]) {
        *status = with_key(app, key, Method::GET, path, json!({})).await.0;
    }
    statuses
}

async fn change(app: &TestApp, method: Method, kind: &str, body: Value) -> Answered {
    let request = TestRequest::with_uri(PATH)
        .method(method)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, kind))
        .set_payload(body.to_string());
    app.send(request).await
}

async fn a_key_gains_nothing_by_losing_its_permissions(app: &TestApp) {
    const JSON: &str = "application/json";
    const MERGE: &str = "application/merge-patch+json";
    const OPERATIONS: &str = "application/json-patch+json";
    let may = json!({"endpoints": {"/api/user-action": ["GET"]}});
    let nothing = json!({"endpoints": {}});
    let only = |permissions: Value| json!({"apiKey": {"permissions": permissions}});
    let without = |path: &str| json!([{"op": "remove", "path": path}]);
    for (method, kind, body, left) in [
        (Method::PUT, JSON, json!({"apiKey": {}}), &may),
        (Method::PUT, JSON, only(Value::Null), &may),
        (Method::PUT, JSON, only(json!({})), &may),
        (Method::PUT, JSON, only(nothing.clone()), &nothing),
        (Method::PATCH, JSON, only(json!({})), &may),
        (Method::PATCH, JSON, only(Value::Null), &nothing),
        (
            Method::PATCH,
            JSON,
            only(json!({"endpoints": null})),
            &nothing,
        ),
        (
            Method::PATCH,
            JSON,
            only(json!({"endpoints": {"/api/user-action": null}})),
            &nothing,
        ),
        (Method::PATCH, MERGE, only(Value::Null), &nothing),
        (
            Method::PATCH,
            MERGE,
            only(json!({"endpoints": null})),
            &nothing,
        ),
        (
            Method::PATCH,
            OPERATIONS,
            without("/apiKey/permissions"),
            &nothing,
        ),
        (
            Method::PATCH,
            OPERATIONS,
            without("/apiKey/permissions/endpoints/~1api~1user-action"),
            &nothing,
        ),
    ] {
        app.delete(PATH).await;
        let made = app.post(PATH, only(may.clone())).await.ok();
        let key = made["apiKey"]["key"].as_str().unwrap();
        assert_eq!(sees(app, key).await, [200, 401]);
        let told = format!("{method} {kind} {body}");
        let changed = change(app, method, kind, body).await.ok();
        assert_eq!(&changed["apiKey"]["permissions"], left, "{told}");
        let allowed = if left == &may { 200 } else { 401 };
        assert_eq!(sees(app, key).await, [allowed, 401], "{told}");
        assert_eq!(app.get(PATH).await.ok(), changed, "{told}");
    }
}

async fn a_key_without_limits_keeps_having_none(app: &TestApp) {
    let made = app.post(PATH, json!({"apiKey": {}})).await.ok();
    let key = made["apiKey"]["key"].as_str().unwrap();
    let name = json!({"apiKey": {"name": "Renamed"}});
    app.put(PATH, name.clone()).await.ok();
    app.patch(PATH, name).await.ok();
    assert_eq!(sees(app, key).await, [200, 200]);
    let nothing = json!({"apiKey": {"permissions": {"endpoints": {}}}});
    app.put(PATH, nothing).await.ok();
    assert_eq!(sees(app, key).await, [401, 401]);
}

async fn only_a_new_key_without_permissions_may_do_everything(app: &TestApp) {
    for (permissions, expected) in [
        (Value::Null, [200, 200]),
        (json!({}), [200, 200]),
        (json!({"endpoints": {}}), [401, 401]),
        (
            json!({"endpoints": {"/api/tenant": [], "/api/user-action": ["GET"]}}),
            [200, 401],
        ),
    ] {
        let new = json!({"apiKey": {"permissions": permissions}});
        let made = app.post("/api/api-key", new).await.ok();
        let key = made["apiKey"]["key"].as_str().unwrap();
        assert_eq!(sees(app, key).await, expected, "{permissions}");
        let copy = json!({"sourceKeyId": made["apiKey"]["id"], "apiKey": {"permissions": {}}});
        let copy = app.post("/api/api-key", copy).await.ok();
        let key = copy["apiKey"]["key"].as_str().unwrap();
        assert_eq!(sees(app, key).await, expected, "the copy of {permissions}");
    }
}

async fn a_search_never_shows_the_keys_themselves(app: &TestApp) {
    const SEARCH: &str = "/api/api-key/search";
    let own = json!({"apiKey": {"name": "Support", "key": "Hush0123456789abcdef"}});
    let own = app.post(PATH, own).await.ok();
    let of_tenant = json!({"apiKey": {"name": "Desk", "tenantId": app.tenant}});
    app.post("/api/api-key", of_tenant).await.ok();
    let names = |found: &Value| -> Vec<String> {
        let keys = found["apiKeys"].as_array().unwrap().iter();
        keys.map(|key| key["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = app.get(SEARCH).await.ok();
    assert_eq!(names(&all), ["Desk", "Support", KEY]);
    assert_eq!(all["total"], 3);
    let keys = all["apiKeys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key.get("key").is_none()), "{all}");
    let mut expected = own["apiKey"].clone();
    expected.as_object_mut().unwrap().remove("key");
    assert_eq!(all["apiKeys"][1], expected);
    let named = json!({"search": {"name": "sup", "numberOfResults": 1}});
    assert_eq!(names(&app.post(SEARCH, named).await.ok()), ["Support"]);
    let found = app.get(&format!("{SEARCH}?tenantId={}", app.tenant)).await;
    assert_eq!(names(&found.ok()), ["Desk"]);

    let manager = ApiKey {
        key_manager: true,
        tenant_id: Some(app.tenant),
        ..api_key("manager")
    };
    app.add_key(manager).await;
    let (status, found) = with_key(app, "manager", Method::GET, SEARCH, json!({})).await;
    assert_eq!(
        (status, names(&found)),
        (200, vec!["Desk".to_owned(), "manager".to_owned()])
    );
    app.add_key(api_key("no manager")).await;
    let (status, _) = with_key(app, "no manager", Method::GET, SEARCH, json!({})).await;
    assert_eq!(status, 401);
}
