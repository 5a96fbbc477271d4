//! Promises about what a key that is locked to a tenant can neither read, move nor name.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::model::api_key::ApiKey;
use beadle_common::model::tenant::Tenant;
use serde_json::{Value, json};

use crate::test_support::{Answered, TestApp, api_key, both_databases};

both_databases!(
    the_smtp_password_goes_with_its_account,
    no_patch_shows_or_guesses_the_smtp_password,
    a_locked_key_has_no_say_in_webhooks,
    a_locked_key_signs_with_its_own_keys_alone,
    a_put_keeps_what_only_beadle_knows,
    a_copy_does_not_sign_with_its_sources_key,
    a_tenant_goes_with_its_keys,
);

const JSON: &str = "application/json";
const OPERATIONS: &str = "application/json-patch+json";
const WEBHOOK: &str = "5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10";

async fn send(
    app: &TestApp,
    key: &str,
    method: Method,
    path: &str,
    kind: &str,
    body: &Value,
) -> Answered {
    let request = TestRequest::with_uri(path)
        .method(method)
        .insert_header((AUTHORIZATION, key))
        .insert_header((CONTENT_TYPE, kind))
        .set_payload(body.to_string());
    app.send(request).await
}

/// A key that is locked to the tenant of the application.
async fn locked(app: &TestApp) -> String {
    app.add_key(ApiKey {
        tenant_id: Some(app.tenant),
        ..api_key("locked")
    })
    .await;
    format!("/api/tenant/{}", app.tenant)
}

async fn password(app: &TestApp) -> Option<String> {
    let id = app.tenant;
    let found = app
        .state
        .read(move |connection| Ok(Tenant::find(connection, id)?));
    let tenant = found.await.unwrap().unwrap();
    beadle_common::resources::tenants::smtp_password(&app.state.sealer, &tenant).unwrap()
}

fn account() -> Value {
    json!({"host": "mail.example", "port": 587, "security": "TLS", "username": "u"})
}

fn with(mut settings: Value, member: &str, value: Value) -> Value {
    settings[member] = value;
    settings
}

fn configured(settings: &Value) -> Value {
    json!({"tenant": {"name": "Default", "emailConfiguration": settings}})
}

async fn the_smtp_password_goes_with_its_account(app: &TestApp) {
    let path = locked(app).await;
    let full = with(account(), "password", json!("hunter22"));
    app.put(&path, configured(&full)).await.ok();
    let change = |method: Method, settings: Value| {
        let path = path.clone();
        async move { send(app, "locked", method, &path, JSON, &configured(&settings)).await }
    };
    let missing = ["[blank]tenant.emailConfiguration.password"];
    for (member, value) in [
        ("host", json!("mail.attacker.example")),
        ("port", json!(25)),
        ("username", json!("v")),
        ("security", json!("NONE")),
    ] {
        let moved = with(account(), member, value.clone());
        assert_eq!(
            change(Method::PUT, moved).await.codes(),
            missing,
            "{member}"
        );
        let part = json!({ member: value });
        assert_eq!(change(Method::PATCH, part).await.codes(), missing);
        assert_eq!(password(app).await.as_deref(), Some("hunter22"));
    }
    for (method, settings) in [
        (Method::PUT, account()),
        (Method::PUT, with(account(), "security", json!("SSL"))),
        (Method::PATCH, json!({"debug": true})),
    ] {
        change(method, settings).await.ok();
        assert_eq!(password(app).await.as_deref(), Some("hunter22"));
    }
    let moved = json!({"host": "other.example", "password": "hunter33"});
    change(Method::PATCH, moved).await.ok();
    assert_eq!(password(app).await.as_deref(), Some("hunter33"));
    let nobody = json!({"host": "third.example"});
    change(Method::PUT, nobody).await.ok();
    assert_eq!(password(app).await, None);
}

async fn no_patch_shows_or_guesses_the_smtp_password(app: &TestApp) {
    let path = locked(app).await;
    let full = with(account(), "password", json!("hunter22"));
    app.put(&path, configured(&full)).await.ok();
    let secret = "/tenant/emailConfiguration/password";
    for operation in [
        json!({"op": "copy", "from": secret, "path": "/tenant/data/x"}),
        json!({"op": "move", "from": secret, "path": "/tenant/issuer"}),
        json!({"op": "copy", "from": "/tenant/emailConfiguration", "path": "/tenant/data/x"}),
    ] {
        let patch = json!([operation]);
        let answer = send(app, "locked", Method::PATCH, &path, OPERATIONS, &patch);
        let answer = answer.await.ok();
        assert!(!answer.to_string().contains("hunter22"), "{answer}");
        app.put(&path, configured(&full)).await.ok();
    }
    for guess in ["hunter22", "hunter23"] {
        let test = json!([{"op": "test", "path": secret, "value": guess}]);
        let answer = send(app, "locked", Method::PATCH, &path, OPERATIONS, &test).await;
        assert_eq!(answer.codes(), ["[JSONPatchTestFailed]"]);
    }
    assert_eq!(password(app).await.as_deref(), Some("hunter22"));
}

fn webhook(further: Value) -> Value {
    let mut webhook =
        json!({"url": "https://example.com/", "connectTimeout": 1000, "readTimeout": 1000});
    for (member, value) in further.as_object().unwrap() {
        webhook[member] = value.clone();
    }
    json!({ "webhook": webhook })
}

async fn a_locked_key_has_no_say_in_webhooks(app: &TestApp) {
    let path = locked(app).await;
    let own = webhook(json!({"tenantIds": [app.tenant]}));
    let own = app.post(&format!("/api/webhook/{WEBHOOK}"), own).await.ok();
    let other = app.add_tenant("Other").await;
    let foreign = webhook(json!({"tenantIds": [other]}));
    let foreign = app.post("/api/webhook", foreign).await.ok();
    for ids in [
        json!([]),
        json!([foreign["webhook"]["id"]]),
        json!([WEBHOOK]),
    ] {
        for method in [Method::PUT, Method::PATCH] {
            let body = json!({"tenant": {"name": "Default"}, "webhookIds": ids});
            let answer = send(app, "locked", method, &path, JSON, &body).await;
            assert_eq!(answer.codes(), ["[notAllowed]webhookIds"]);
        }
    }
    let add = json!([{"op": "add", "path": "/webhookIds", "value": []}]);
    let answer = send(app, "locked", Method::PATCH, &path, OPERATIONS, &add).await;
    assert_eq!(answer.codes(), ["[notAllowed]webhookIds"]);
    let shown = app.get(&format!("/api/webhook/{WEBHOOK}")).await.ok();
    assert_eq!(shown["webhook"]["tenantIds"], own["webhook"]["tenantIds"]);
    let unknown = json!({"tenant": {}, "webhookIds": [WEBHOOK, app.tenant]});
    assert_eq!(
        app.patch(&path, unknown).await.codes(),
        ["[invalid]webhookIds[1]"]
    );
    let both = json!({"tenant": {}, "webhookIds": [WEBHOOK, foreign["webhook"]["id"]]});
    app.patch(&path, both).await.ok();
    let silent = json!({"tenant": {"name": "Default"}, "webhookIds": null});
    send(app, "locked", Method::PUT, &path, JSON, &silent)
        .await
        .ok();
    let id = foreign["webhook"]["id"].as_str().unwrap();
    let shown = app.get(&format!("/api/webhook/{id}")).await.ok();
    assert_eq!(shown["webhook"]["tenantIds"].as_array().unwrap().len(), 2);
}

/// The Id of a new key of this tenant, or of all.
async fn signing_key(app: &TestApp, name: &str, tenant: Option<String>) -> Value {
    let key = json!({"key": {"name": name, "algorithm": "EdDSA", "tenantId": tenant}});
    app.post("/api/key/generate", key).await.ok()["key"]["id"].clone()
}

fn dkim(domain: &str, key: &Value) -> Value {
    json!({"dkim": {"domain": domain, "selector": "s", "keyId": key}})
}

async fn a_locked_key_signs_with_its_own_keys_alone(app: &TestApp) {
    let path = locked(app).await;
    let other = app.add_tenant("Other").await;
    let own = signing_key(app, "own", Some(app.tenant.to_string())).await;
    let foreign = signing_key(app, "foreign", Some(other.to_string())).await;
    let of_all = signing_key(app, "of all", None).await;
    let invalid = ["[invalid]tenant.emailConfiguration.dkim.keyId"];
    let ask = |settings: Value| {
        let path = path.clone();
        async move {
            let body = configured(&settings);
            send(app, "locked", Method::PUT, &path, JSON, &body).await
        }
    };
    for key in [&foreign, &of_all] {
        let refused = ask(dkim("other.example", key)).await;
        assert_eq!(refused.codes(), invalid);
    }
    let refused = app.put(&path, configured(&dkim("a.example", &foreign)));
    assert_eq!(refused.await.codes(), invalid);
    ask(dkim("a.example", &own)).await.ok();
    // What the operator has set up stays, in every word.
    let by_operator = dkim("a.example", &of_all);
    app.put(&path, configured(&by_operator)).await.ok();
    for settings in [by_operator.clone(), json!({"host": "mail.example"})] {
        let answer = ask(settings).await.ok();
        let shown = &answer["tenant"]["emailConfiguration"]["dkim"];
        assert_eq!(shown, &by_operator["dkim"]);
    }
    let refused = ask(dkim("other.example", &of_all)).await;
    assert_eq!(refused.codes(), invalid);
}

async fn a_put_keeps_what_only_beadle_knows(app: &TestApp) {
    let path = format!("/api/tenant/{}", app.tenant);
    let key = signing_key(app, "of all", None).await;
    let mut settings = dkim("a.example", &key);
    settings["host"] = json!("mail.example");
    settings["listUnsubscribe"] = json!("https://a.example/{{user.id}}");
    settings["rateLimit"] = json!(20);
    app.put(&path, configured(&settings)).await.ok();
    let kept = |answer: &Value| {
        let shown = &answer["tenant"]["emailConfiguration"];
        ["dkim", "listUnsubscribe", "rateLimit"].map(|member| shown[member].clone())
    };
    let expected = ["dkim", "listUnsubscribe", "rateLimit"].map(|member| settings[member].clone());
    for body in [
        json!({"tenant": {"name": "Default"}}),
        configured(&json!({"host": "mail.example", "port": 26})),
    ] {
        assert_eq!(kept(&app.put(&path, body).await.ok()), expected);
    }
    assert_eq!(kept(&app.get(&path).await.ok()), expected);
    let removed = json!({"dkim": null, "listUnsubscribe": null, "rateLimit": null});
    let put = app.put(&path, configured(&removed)).await.ok();
    assert_eq!(kept(&put), [Value::Null, Value::Null, Value::Null]);
}

async fn a_copy_does_not_sign_with_its_sources_key(app: &TestApp) {
    let path = format!("/api/tenant/{}", app.tenant);
    let own = signing_key(app, "own", Some(app.tenant.to_string())).await;
    let of_all = signing_key(app, "of all", None).await;
    for (name, key, copied) in [("A", &own, false), ("B", &of_all, true)] {
        app.put(&path, configured(&dkim("a.example", key)))
            .await
            .ok();
        let copy = json!({"sourceTenantId": app.tenant, "tenant": {"name": name}});
        let copy = app.post("/api/tenant", copy).await.ok();
        let shown = copy["tenant"]["emailConfiguration"].get("dkim");
        assert_eq!(shown.is_some(), copied);
    }
}

async fn a_tenant_goes_with_its_keys(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    let key = signing_key(app, "its own", Some(other.to_string())).await;
    let signs = json!({
        "tenantIds": [other], "sslCertificateKeyId": key,
        "signatureConfiguration": {"enabled": true, "signingKeyId": key},
    });
    let path = format!("/api/webhook/{WEBHOOK}");
    app.post(&path, webhook(signs)).await.ok();
    app.delete(&format!("/api/tenant/{other}")).await.ok_empty();
    let shown = app.get(&path).await.ok();
    assert_eq!(shown["webhook"]["tenantIds"], json!([]));
    assert_eq!(
        shown["webhook"]["signatureConfiguration"],
        json!({"enabled": false})
    );
    let key = format!("/api/key/{}", key.as_str().unwrap());
    assert_eq!(app.get(&key).await.status, 404);
}
