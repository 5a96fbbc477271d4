//! Promises of `/api/webhook`.

use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::test::TestRequest;
use beadle_common::id::WebhookId;
use beadle_common::model::api_key::ApiKey;
use beadle_common::model::webhook::{Webhook, WebhookSecretRow};
use beadle_common::unix_millis::UnixMillis;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::test_support::{NOON, TestApp, api_key, both_databases};

const ID: &str = "2f1c1f0e-7d3c-4c86-b8a4-3d1f6a7a2c55";
const PATH: &str = "/api/webhook/2f1c1f0e-7d3c-4c86-b8a4-3d1f6a7a2c55";

both_databases!(
    a_webhook_lives_from_creation_to_deletion,
    the_signing_secret_is_shown_once,
    secrets_are_sealed_and_survive_a_patch,
    all_mistakes_are_reported_at_once,
    a_locked_key_has_no_business_here,
    a_search_filters_sorts_and_pages,
    a_rotation_leaves_the_old_secret_for_a_while,
    a_pair_is_opted_into_and_shows_its_public_key,
    a_rotation_has_limits,
    a_put_keeps_what_only_beadle_knows,
);

fn receiver() -> Value {
    json!({"url": "https://receiver.example/hook", "connectTimeout": 1000, "readTimeout": "2000"})
}

async fn a_webhook_lives_from_creation_to_deletion(app: &TestApp) {
    let mut given = receiver();
    given["eventsEnabled"] = json!({"user.action": true, "user.create": false});
    given["tenantIds"] = json!([app.tenant]);
    given["signingSecret"] = json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let mut created = app.post(PATH, json!({ "webhook": given })).await.ok();
    let expected = json!({
        "connectTimeout": 1000, "data": {}, "eventsEnabled": {"user.action": true, "user.create": false},
        "global": false, "headers": {}, "id": ID, "insertInstant": NOON, "lastUpdateInstant": NOON,
        "readTimeout": 2000, "signatureConfiguration": {"enabled": false}, "state": "Active",
        "tenantIds": [app.tenant], "url": "https://receiver.example/hook",
    });
    let secret = created["webhook"]
        .as_object_mut()
        .unwrap()
        .remove("signingSecret");
    assert_eq!(
        secret,
        Some(json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    );
    assert_eq!(created["webhook"], expected);
    assert_eq!(app.get(PATH).await.ok()["webhook"], expected);
    assert_eq!(
        app.get("/api/webhook").await.ok(),
        json!({"webhooks": [expected]})
    );

    app.advance(1);
    let mut changed = receiver();
    changed["global"] = json!(true);
    let replaced = app.put(PATH, json!({ "webhook": changed })).await.ok();
    assert_eq!(replaced["webhook"]["tenantIds"], json!([]));
    assert_eq!(replaced["webhook"]["eventsEnabled"], json!({}));
    assert_eq!(replaced["webhook"]["lastUpdateInstant"], json!(NOON + 1));
    assert_eq!(app.delete(PATH).await.status, 200);
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::PATCH] {
        assert_eq!(app.call(method, PATH, None).await.status, 404);
    }
}

async fn the_signing_secret_is_shown_once(app: &TestApp) {
    let created = app.post(PATH, json!({"webhook": receiver()})).await.ok();
    let shown = created["webhook"]["signingSecret"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(shown.starts_with("whsec_"));
    let patched = app
        .patch(PATH, json!({"webhook": {"signingSecret": "whsec_AAAA"}}))
        .await
        .ok();
    assert!(patched["webhook"].get("signingSecret").is_none());
    assert!(
        app.get(PATH).await.ok()["webhook"]
            .get("signingSecret")
            .is_none()
    );
    let id: WebhookId = ID.parse().unwrap();
    let now = UnixMillis::from_millis(NOON);
    let rows = app
        .state
        .read(move |connection| Ok(WebhookSecretRow::live_of(connection, &[id], now)?))
        .await
        .unwrap();
    let [row] = rows.as_slice() else {
        panic!("one secret");
    };
    let stored = app
        .state
        .sealer
        .open_text(WebhookSecretRow::place(row.id), &row.secret)
        .unwrap();
    assert_eq!(stored.expose_secret(), shown);
    let wrong = json!({"webhook": {"signingSecret": "v1,short"}});
    assert!(
        app.post("/api/webhook", wrong)
            .await
            .codes()
            .contains(&"[invalid]webhook.signingSecret".to_owned())
    );
}

async fn secrets_are_sealed_and_survive_a_patch(app: &TestApp) {
    let mut given = receiver();
    given["headers"] = json!({"X-Token": " abc ", "X-None": null});
    given["httpAuthenticationUsername"] = json!("user");
    given["httpAuthenticationPassword"] = json!("hunter22");
    app.post(PATH, json!({ "webhook": given })).await.ok();
    let patched = app
        .patch(PATH, json!({"webhook": {"headers": {"X-More": "1"}}}))
        .await
        .ok();
    assert_eq!(
        patched["webhook"]["headers"],
        json!({"X-More": "1", "X-Token": "abc"})
    );
    assert_eq!(patched["webhook"]["httpAuthenticationPassword"], "hunter22");
    let id: WebhookId = ID.parse().unwrap();
    let row = app
        .state
        .read(move |connection| Ok(Webhook::find(connection, id)?))
        .await
        .unwrap()
        .unwrap();
    let hidden = |bytes: &[u8], secret: &str| !String::from_utf8_lossy(bytes).contains(secret);
    assert!(
        hidden(&row.headers, "abc")
            && hidden(&row.http_authentication_password.unwrap(), "hunter22")
    );
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    app.post(PATH, json!({"webhook": receiver()})).await.ok();
    let wrong = json!({"webhook": {
        "url": "ftp://receiver.example", "connectTimeout": 0, "eventsEnabled": {"user.actions": true},
        "tenantIds": [ID], "headers": {"Host": "a"}, "signatureConfiguration": {"enabled": true},
        "contactEmail": "me", "rateLimit": -1, "orderedBy": "event", "data": [],
    }});
    assert_eq!(
        app.post(PATH, wrong).await.codes(),
        [
            "[invalid]webhook.connectTimeout",
            "[notEmail]webhook.contactEmail",
            "[invalidJSON] on webhook.data",
            "[invalidJSON] on webhook.eventsEnabled",
            "[invalid]webhook.headers",
            "[invalid]webhook.orderedBy",
            "[invalid]webhook.rateLimit",
            "[missing]webhook.readTimeout",
            "[missing]webhook.signatureConfiguration.signingKeyId",
            "[invalid]webhook.tenantIds[0]",
            "[invalid]webhook.url",
            "[duplicate]webhookId",
        ]
    );
    assert_eq!(
        app.post(
            "/api/webhook",
            json!({"webhook": {"signatureConfiguration": {"signingKeyId": ID}}})
        )
        .await
        .codes(),
        [
            "[missing]webhook.connectTimeout",
            "[missing]webhook.readTimeout",
            "[invalid]webhook.signatureConfiguration.signingKeyId",
            "[blank]webhook.url",
        ]
    );
    assert_eq!(
        app.post("/api/webhook", json!({})).await.codes(),
        ["[missing]webhook"]
    );
}

async fn a_locked_key_has_no_business_here(app: &TestApp) {
    app.add_key(ApiKey {
        tenant_id: Some(app.tenant),
        ..api_key("locked")
    })
    .await;
    let request = TestRequest::with_uri("/api/webhook").insert_header((AUTHORIZATION, "locked"));
    assert_eq!(app.send(request).await.status, 401);
}

async fn a_search_filters_sorts_and_pages(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    for (url, global, tenant) in [
        ("https://a.example", true, None),
        ("https://b.example", false, Some(other)),
    ] {
        let mut given = receiver();
        given["url"] = json!(url);
        given["global"] = json!(global);
        given["tenantIds"] = json!(tenant.into_iter().collect::<Vec<_>>());
        app.post("/api/webhook", json!({ "webhook": given }))
            .await
            .ok();
        app.advance(1);
    }
    let urls = |found: &Value| -> Vec<Value> {
        let webhooks = found["webhooks"].as_array().unwrap();
        webhooks
            .iter()
            .map(|webhook| webhook["url"].clone())
            .collect()
    };
    let path = "/api/webhook/search?description=undefined&numberOfResults=true&startRow=false";
    let found = app.get(path).await.ok();
    assert_eq!(
        (urls(&found), &found["total"]),
        (vec![json!("https://b.example")], &json!(2))
    );
    let search = |criteria: Value| {
        let body = json!({ "search": criteria });
        async move { app.post("/api/webhook/search", body).await }
    };
    let found = search(json!({"url": "https://*.example", "orderBy": "url ASC"}))
        .await
        .ok();
    assert_eq!(urls(&found), ["https://a.example", "https://b.example"]);
    let found = search(json!({"tenantId": app.tenant})).await.ok();
    assert_eq!(urls(&found), ["https://a.example"]);
    assert_eq!(
        search(json!({"orderBy": "name"})).await.codes(),
        ["[invalid]search.orderBy"]
    );
    assert_eq!(
        app.post("/api/webhook/search", json!({})).await.codes(),
        ["[missing]search"]
    );
}

async fn secrets(app: &TestApp) -> Vec<Value> {
    let answer = app.get(&format!("{PATH}/secret")).await.ok();
    answer["secrets"].as_array().unwrap().clone()
}

async fn a_rotation_leaves_the_old_secret_for_a_while(app: &TestApp) {
    let path = format!("{PATH}/secret/rotate");
    assert_eq!(app.get(&format!("{PATH}/secret")).await.status, 404);
    assert_eq!(app.call(Method::POST, &path, None).await.status, 404);
    let created = app.post(PATH, json!({"webhook": receiver()})).await.ok();
    let [first] = secrets(app).await.try_into().unwrap();
    assert_eq!(first["secret"], created["webhook"]["signingSecret"]);
    assert_eq!(
        (&first["type"], &first["insertInstant"]),
        (&json!("v1"), &json!(NOON))
    );
    let own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let rotated = app.post(&path, json!({"secret": own})).await.ok();
    assert_eq!(rotated["secrets"], json!(secrets(app).await));
    assert_eq!(rotated["secrets"][0]["secret"], own);
    assert_eq!(
        rotated["secrets"][1]["expirationInstant"],
        json!(NOON + 86_400_000)
    );
    assert!(rotated["secrets"][0].get("expirationInstant").is_none());
    app.advance(86_400_000);
    assert_eq!(secrets(app).await.len(), 1);
    let leaked = app.post(&path, json!({"gracePeriodSeconds": 0})).await.ok();
    assert_eq!(leaked["secrets"].as_array().unwrap().len(), 1);
    assert_ne!(leaked["secrets"][0]["secret"], own);
    assert_eq!(app.delete(&path).await.status, 405);
}

async fn a_pair_is_opted_into_and_shows_its_public_key(app: &TestApp) {
    const PAIR: &str = "whsk_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    const PUBLIC: &str = "whpk_Kay64UG8yvCyLhqU000LxzYeUm0L/hLIl5S8kyKWbdc=";
    let path = format!("{PATH}/secret/rotate");
    let document = || app.send(TestRequest::get().uri("/.well-known/webhooks.json"));
    app.post(PATH, json!({"webhook": receiver()})).await.ok();
    assert_eq!(document().await.ok(), json!({"webhooks": {}}));
    let made = app.post(&path, json!({"type": "v1a"})).await.ok();
    let [new, old] = &made["secrets"].as_array().unwrap()[..] else {
        panic!("{made}");
    };
    assert_eq!((&new["type"], &old["type"]), (&json!("v1a"), &json!("v1")));
    assert!(new["secret"].as_str().unwrap().starts_with("whsk_"));
    assert!(old.get("publicKey").is_none());
    let keys = document().await.ok()["webhooks"][ID].clone();
    assert_eq!(keys[0]["publicKey"], new["publicKey"]);
    assert!(keys[0].get("secret").is_none());
    app.advance(1);
    let own = json!({"secret": PAIR, "gracePeriodSeconds": 0});
    let own = app.post(&path, own).await.ok();
    assert_eq!(own["secrets"][0]["publicKey"], PUBLIC);
    // The leaked one signs no more, the one before still does.
    let kinds = own["secrets"].as_array().unwrap().iter();
    assert_eq!(
        kinds
            .map(|secret| secret["type"].clone())
            .collect::<Vec<_>>(),
        ["v1a", "v1"]
    );
    let keys = document().await.ok()["webhooks"][ID].clone();
    assert_eq!(keys.as_array().unwrap().len(), 1);
    assert_eq!(
        keys[0],
        json!({
            "id": own["secrets"][0]["id"], "insertInstant": NOON + 1, "publicKey": PUBLIC,
            "type": "v1a",
        })
    );
    for mistake in [
        json!({"secret": PAIR, "type": "v1"}),
        json!({"type": "v1b"}),
    ] {
        assert_eq!(app.post(&path, mistake).await.codes(), ["[invalid]type"]);
    }
    let brought = json!({"webhook": {"url": "https://receiver.example/", "connectTimeout": 1,
        "readTimeout": 1, "signingSecret": PAIR}});
    let brought = app.post("/api/webhook", brought).await.ok();
    let shown = brought["webhook"]["signingSecret"].as_str().unwrap();
    assert!(shown.starts_with("whsk_"), "{shown}");
}

async fn a_rotation_has_limits(app: &TestApp) {
    let path = format!("{PATH}/secret/rotate");
    app.post(PATH, json!({"webhook": receiver()})).await.ok();
    let wrong = json!({"gracePeriodSeconds": 604_801, "secret": "whsec_!", "type": "v2"});
    assert_eq!(
        app.post(&path, wrong).await.codes(),
        [
            "[invalid]gracePeriodSeconds",
            "[invalid]secret",
            "[invalid]type"
        ]
    );
    for _ in 0..3 {
        app.call(Method::POST, &path, None).await.ok();
    }
    assert_eq!(
        app.call(Method::POST, &path, None).await.codes(),
        ["[tooMany]secret"]
    );
    assert_eq!(secrets(app).await.len(), 4);
}

async fn a_put_keeps_what_only_beadle_knows(app: &TestApp) {
    let own = json!({"contactEmail": "me@example.com", "orderedBy": "user", "rateLimit": 5});
    let with_own = |own: &Value| {
        let mut webhook = receiver();
        for (member, value) in own.as_object().unwrap() {
            webhook[member] = value.clone();
        }
        json!({ "webhook": webhook })
    };
    let shown = |answer: Value| {
        ["contactEmail", "orderedBy", "rateLimit"].map(|member| answer["webhook"][member].clone())
    };
    let expected = shown(app.post(PATH, with_own(&own)).await.ok());
    assert_eq!(expected, [json!("me@example.com"), json!("user"), json!(5)]);
    let silent = json!({ "webhook": receiver() });
    assert_eq!(shown(app.put(PATH, silent).await.ok()), expected);
    let removed = json!({"contactEmail": null, "orderedBy": null, "rateLimit": null});
    let removed = shown(app.put(PATH, with_own(&removed)).await.ok());
    assert_eq!(removed, [Value::Null, Value::Null, Value::Null]);
    assert_eq!(shown(app.get(PATH).await.ok()), removed);
}
