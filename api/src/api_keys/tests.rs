//! Promises of `/api/api-key`.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::model::api_key::ApiKey;
use serde_json::{Value, json};

use crate::test_support::{NOON, TestApp, api_key, both_databases};

const ID: &str = "7d4c3a44-0b1c-4a5e-9a58-2e0f0d6f3b77";
const PATH: &str = "/api/api-key/7d4c3a44-0b1c-4a5e-9a58-2e0f0d6f3b77";

both_databases!(
    a_key_is_made_used_changed_and_deleted,
    only_managers_manage_keys,
    all_mistakes_are_reported_at_once,
    a_locked_manager_stays_in_its_tenant,
    a_copy_has_the_permissions_of_its_source,
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
    assert!(put["apiKey"].get("permissions").is_none() && put["apiKey"].get("name").is_none());
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
