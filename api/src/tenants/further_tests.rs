//! Promises of what stands beside a tenant, and of searches for tenants.

use actix_web::http::header::AUTHORIZATION;
use actix_web::test::TestRequest;
use beadle_common::model::api_key::ApiKey;
use serde_json::{Value, json};

use crate::test_support::{TestApp, api_key, both_databases};

both_databases!(
    webhook_ids_tie_webhooks_to_a_tenant,
    a_tenant_is_a_copy_of_another,
    tenants_are_found_by_name,
);

const UNKNOWN: &str = "9af67e9a-8332-4c06-971c-463b6710c340";

async fn webhook(app: &TestApp, global: bool) -> Value {
    let webhook = json!({"webhook": {"url": "https://receiver.example/", "global": global, "connectTimeout": 1000, "readTimeout": 1000}});
    app.post("/api/webhook", webhook).await.ok()["webhook"]["id"].clone()
}

async fn tenants_of(app: &TestApp, webhook: &Value) -> Value {
    let path = format!("/api/webhook/{}", webhook.as_str().unwrap());
    app.get(&path).await.ok()["webhook"]["tenantIds"].clone()
}

async fn webhook_ids_tie_webhooks_to_a_tenant(app: &TestApp) {
    let (first, second, global) = (
        webhook(app, false).await,
        webhook(app, false).await,
        webhook(app, true).await,
    );
    let tenant = json!({"tenant": {"name": "Hooli"}, "webhookIds": [first, global]});
    let made = app.post("/api/tenant", tenant).await.ok();
    let id = made["tenant"]["id"].clone();
    assert_eq!(tenants_of(app, &first).await, json!([id]));
    assert_eq!(tenants_of(app, &global).await, json!([]));
    let path = format!("/api/tenant/{}", id.as_str().unwrap());
    let untouched = json!({"tenant": {"data": {"a": 1}}});
    app.patch(&path, untouched).await.ok();
    assert_eq!(tenants_of(app, &first).await, json!([id]));
    app.patch(&path, json!({"webhookIds": [second]})).await.ok();
    assert_eq!(tenants_of(app, &first).await, json!([]));
    assert_eq!(tenants_of(app, &second).await, json!([id]));
    let none = json!({"tenant": {"name": "Hooli"}, "webhookIds": []});
    app.put(&path, none).await.ok();
    assert_eq!(tenants_of(app, &second).await, json!([]));
    let wrong = json!({"tenant": {}, "webhookIds": [second, UNKNOWN, 7]});
    assert_eq!(
        app.post("/api/tenant", wrong).await.codes(),
        [
            "[blank]tenant.name",
            "[invalid]webhookIds[1]",
            "[invalidJSON] on webhookIds[2]",
        ]
    );
}

async fn a_tenant_is_a_copy_of_another(app: &TestApp) {
    let email = json!({"host": "mail.example", "username": "u", "password": "hunter22"});
    let source =
        json!({"name": "Source", "data": {"a": 1}, "issuer": "x", "emailConfiguration": email});
    let source = app
        .post("/api/tenant", json!({ "tenant": source }))
        .await
        .ok();
    let id = source["tenant"]["id"].clone();
    let copy = json!({"tenant": {"name": "Copy", "data": {}}, "sourceTenantId": id});
    let copy = app.post("/api/tenant", copy).await.ok();
    assert_ne!(copy["tenant"]["id"], id);
    let mut expected = source["tenant"].clone();
    expected["name"] = json!("Copy");
    expected["id"] = copy["tenant"]["id"].clone();
    assert_eq!(copy["tenant"], expected);
    let password = {
        let id = copy["tenant"]["id"].as_str().unwrap().parse().unwrap();
        let tenant = app
            .state
            .read(move |connection| Ok(beadle_common::model::tenant::Tenant::find(connection, id)?))
            .await
            .unwrap()
            .unwrap();
        beadle_common::resources::tenants::smtp_password(&app.state.sealer, &tenant).unwrap()
    };
    assert_eq!(password.as_deref(), Some("hunter22"));
    let again = json!({"tenant": {"name": "copy"}, "sourceTenantId": id});
    assert_eq!(
        app.post("/api/tenant", again).await.codes(),
        ["[duplicate]tenant.name"]
    );
    let unknown = json!({"tenant": {"name": "New"}, "sourceTenantId": UNKNOWN});
    assert_eq!(
        app.post("/api/tenant", unknown).await.codes(),
        ["[invalid]sourceTenantId"]
    );
    let nothing = json!({ "sourceTenantId": id });
    assert_eq!(
        app.post("/api/tenant", nothing).await.codes(),
        ["[missing]tenant"]
    );
}

async fn tenants_are_found_by_name(app: &TestApp) {
    let other = app.add_tenant("Pied Piper").await;
    app.add_tenant("Hooli").await;
    let found = app
        .get("/api/tenant/search?name=pied*&orderBy=undefined")
        .await;
    let path = format!("/api/tenant/{other}");
    let one = app.get(&path).await.ok()["tenant"].clone();
    assert_eq!(found.ok(), json!({"tenants": [one], "total": 1}));
    let body = json!({"search": {"orderBy": "name DESC", "numberOfResults": 2}});
    let found = app.post("/api/tenant/search", body).await.ok();
    assert_eq!(found["total"], json!(3));
    assert_eq!(found["tenants"][0]["name"], "Pied Piper");
    assert_eq!(found["tenants"][1]["name"], "Hooli");
    app.add_key(ApiKey {
        tenant_id: Some(other),
        ..api_key("locked")
    })
    .await;
    let locked = TestRequest::post()
        .uri("/api/tenant/search")
        .insert_header((AUTHORIZATION, "locked"))
        .insert_header(("Content-Type", "application/json"))
        .set_payload(json!({"search": {}}).to_string());
    let found = app.send(locked).await.ok();
    assert_eq!(found, json!({"tenants": [one], "total": 1}));
    assert_eq!(
        app.post("/api/tenant/search", json!({})).await.codes(),
        ["[missing]search"]
    );
}
