//! Promises of `/api/key`.

use actix_web::http::header::AUTHORIZATION;
use actix_web::test::TestRequest;
use beadle_common::id::TenantId;
use beadle_common::model::api_key::ApiKey;
use beadle_common::sign::jws::{Algorithm, JwsKey};
use serde_json::{Value, json};

use crate::test_support::{Answered, KEY, NOON, TestApp, api_key, both_databases, endpoints};

const ID: &str = "5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10";

both_databases!(
    a_key_lives_from_its_generation_to_its_deletion,
    keys_are_imported_with_and_without_their_private_part,
    a_pair_is_imported_if_its_halves_belong_together,
    each_endpoint_is_permitted_by_itself,
    all_mistakes_are_reported,
    a_key_stays_while_a_webhook_names_it,
    receivers_find_public_keys_without_an_api_key,
    a_key_belongs_to_a_tenant_or_to_all,
    a_tenant_header_does_not_keep_a_key_from_the_others,
    a_webhook_names_keys_of_whom_it_serves,
);

fn key(name: &str, algorithm: &str) -> Value {
    json!({"key": {"name": name, "algorithm": algorithm}})
}

async fn a_key_lives_from_its_generation_to_its_deletion(app: &TestApp) {
    let generated = app
        .post(&format!("/api/key/generate/{ID}"), key("Webhooks", "ES256"))
        .await
        .ok();
    let made = &generated["key"];
    assert_eq!(
        (
            &made["id"],
            &made["type"],
            &made["length"],
            &made["insertInstant"]
        ),
        (&json!(ID), &json!("EC"), &json!(256), &json!(NOON))
    );
    assert!(made["publicKey"].as_str().unwrap().contains("PUBLIC KEY"));
    assert!(!generated.to_string().contains("PRIVATE"));
    let path = format!("/api/key/{ID}");
    assert_eq!(app.get(&path).await.ok(), generated);
    let renamed = app.put(&path, json!({"key": {"name": "Other", "kid": "x"}}));
    let renamed = renamed.await.ok();
    assert_eq!(renamed["key"]["name"], "Other");
    assert_eq!(renamed["key"]["kid"], made["kid"]);
    let secret = app.post("/api/key/generate", key("A secret", "HS512"));
    let secret = secret.await.ok();
    assert_eq!(secret["key"]["type"], "HMAC");
    assert_eq!(secret["key"]["publicKey"], Value::Null);
    let list = app.get("/api/key").await.ok();
    let names: Vec<_> = list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["name"])
        .collect();
    assert_eq!(names, ["A secret", "Other"]);
    assert_eq!(app.delete(&path).await.status, 200);
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.delete(&path).await.status, 404);
}

async fn keys_are_imported_with_and_without_their_private_part(app: &TestApp) {
    let own = JwsKey::generate(Algorithm::EdDsa, None).unwrap();
    let public = pem(&own);
    let import = json!({"key": {"name": "A", "algorithm": "EdDSA", "publicKey": public}});
    let imported = app.post("/api/key/import", import).await.ok();
    assert_eq!(imported["key"]["hasPrivateKey"], false);
    assert_eq!(imported["key"]["publicKey"], public);
    // A key that cannot sign is none for a webhook.
    let id = &imported["key"]["id"];
    assert_eq!(
        app.post("/api/webhook", webhook(id)).await.codes(),
        ["[invalid]webhook.signatureConfiguration.signingKeyId"]
    );
    let secret = json!({"key": {
        "name": "B", "algorithm": "HS256", "kid": "mine", "secret": "0123456789abcdef0123456789abcdef",
    }});
    let imported = app.post("/api/key/import", secret).await.ok();
    assert_eq!(
        (&imported["key"]["kid"], &imported["key"]["length"]),
        (&json!("mine"), &json!(256))
    );
    assert!(!imported.to_string().contains("0123456789abcdef"));
}

fn pem(key: &JwsKey) -> String {
    key.public().unwrap().unwrap().to_pem().unwrap()
}

/// The key of RFC 8037, appendix A.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";

async fn a_pair_is_imported_if_its_halves_belong_together(app: &TestApp) {
    let own = JwsKey::from_pem(Algorithm::EdDsa, PRIVATE).unwrap();
    let other = JwsKey::generate(Algorithm::EdDsa, None).unwrap();
    let pair = |public: &str| {
        json!({"key": {
            "name": "A", "algorithm": "EdDSA", "privateKey": PRIVATE, "publicKey": public,
        }})
    };
    let refused = app.post("/api/key/import", pair(&pem(&other))).await;
    assert_eq!(refused.codes(), ["[invalid]key.publicKey"]);
    let imported = app.post("/api/key/import", pair(&pem(&own))).await.ok();
    assert_eq!(imported["key"]["hasPrivateKey"], true);
    assert_eq!(imported["key"]["publicKey"], pem(&own));
    // The same key under another name would have the same `kid`.
    let mut again = pair(&pem(&own));
    again["key"]["name"] = "B".into();
    let again = app.post("/api/key/import", again).await;
    assert_eq!(again.codes(), ["[duplicate]key.kid"]);
}

async fn each_endpoint_is_permitted_by_itself(app: &TestApp) {
    let signer = ApiKey {
        permissions: endpoints("/api/key/generate", &["POST"]),
        ..api_key("only generates keys")
    };
    app.add_key(signer).await;
    for (path, status) in [("generate", 200), ("import", 401)] {
        let request = TestRequest::post()
            .uri(&format!("/api/key/{path}"))
            .insert_header(("authorization", "only generates keys"))
            .set_json(key(path, "EdDSA"));
        assert_eq!(app.send(request).await.status, status, "{path}");
    }
    let request = TestRequest::get()
        .uri("/api/key")
        .insert_header(("authorization", "only generates keys"));
    assert_eq!(app.send(request).await.status, 401);
}

async fn all_mistakes_are_reported(app: &TestApp) {
    for (path, body, codes) in [
        ("generate", json!({}), vec!["[missing]key"]),
        (
            "generate",
            json!({"key": {}}),
            vec!["[missing]key.algorithm", "[blank]key.name"],
        ),
        (
            "generate",
            key("A", "none"),
            vec!["[invalidJSON] on key.algorithm"],
        ),
        (
            "generate",
            json!({"key": {"name": "A", "algorithm": "RS256", "length": 512}}),
            vec!["[invalid]key.length"],
        ),
        ("import", key("A", "RS256"), vec!["[blank]key.privateKey"]),
        ("import", key("A", "HS256"), vec!["[blank]key.secret"]),
        (
            "import",
            json!({"key": {"name": "A", "algorithm": "HS256", "secret": "short"}}),
            vec!["[tooShort]key.secret"],
        ),
        (
            "import",
            json!({"key": {"name": "A", "algorithm": "HS256", "secret": ["x"]}}),
            vec!["[invalidJSON] on key.secret"],
        ),
        (
            "import",
            json!({"key": {"name": "A", "algorithm": "HS256", "secret": "x".repeat(1025)}}),
            vec!["[tooLong]key.secret"],
        ),
        (
            "import",
            json!({"key": {"name": "A", "algorithm": "ES256", "privateKey": "x", "publicKey": "y"}}),
            vec!["[invalid]key.privateKey", "[invalid]key.publicKey"],
        ),
        (
            "import",
            json!({"key": {"name": "A", "algorithm": "ES256", "privateKey": 1}}),
            vec!["[invalidJSON] on key.privateKey"],
        ),
    ] {
        let answer = app.post(&format!("/api/key/{path}"), body).await;
        assert_eq!(answer.codes(), codes, "{path}");
    }
    let path = format!("/api/key/generate/{ID}");
    app.post(&path, key("A", "EdDSA")).await.ok();
    let same_name = app.post("/api/key/generate", key("a", "EdDSA")).await;
    assert_eq!(same_name.codes(), ["[duplicate]key.name"]);
    assert_eq!(
        app.post(&path, key("a", "EdDSA")).await.codes(),
        ["[duplicate]keyId"]
    );
}

fn webhook(key: &Value) -> Value {
    json!({"webhook": {
        "url": "https://example.com/", "connectTimeout": 1000, "readTimeout": 1000,
        "signatureConfiguration": {"enabled": true, "signingKeyId": key},
    }})
}

async fn a_key_stays_while_a_webhook_names_it(app: &TestApp) {
    assert_eq!(
        app.post("/api/webhook", webhook(&json!(ID))).await.codes(),
        ["[invalid]webhook.signatureConfiguration.signingKeyId"]
    );
    let generate = format!("/api/key/generate/{ID}");
    app.post(&generate, key("A", "ES384")).await.ok();
    let made = app.post("/api/webhook", webhook(&json!(ID))).await.ok();
    assert_eq!(
        made["webhook"]["signatureConfiguration"],
        json!({"enabled": true, "signingKeyId": ID})
    );
    let path = format!("/api/key/{ID}");
    assert_eq!(app.delete(&path).await.codes(), ["[inUse]keyId"]);
    let webhook = made["webhook"]["id"].as_str().unwrap();
    app.delete(&format!("/api/webhook/{webhook}")).await;
    assert_eq!(app.delete(&path).await.status, 200);
}

async fn receivers_find_public_keys_without_an_api_key(app: &TestApp) {
    for (name, algorithm) in [("A", "ES256"), ("B", "HS256"), ("C", "EdDSA")] {
        app.post("/api/key/generate", key(name, algorithm))
            .await
            .ok();
    }
    let request = TestRequest::get().uri("/.well-known/jwks.json");
    let jwks = app.send(request).await.ok();
    let mut kinds: Vec<_> = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (key["kty"].as_str().unwrap(), key["alg"].as_str().unwrap()))
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [("EC", "ES256"), ("OKP", "EdDSA")]);
}

/// As [`TestApp::call`], limited to a tenant.
async fn within(app: &TestApp, tenant: TenantId, request: TestRequest) -> Answered {
    let request = request
        .insert_header((AUTHORIZATION, KEY))
        .insert_header(("X-FusionAuth-TenantId", tenant.to_string()));
    app.send(request).await
}

fn of_tenant(tenant: TenantId) -> Value {
    let mut body = key("Of one", "EdDSA");
    body["key"]["tenantId"] = json!(tenant);
    body
}

/// Official clients send the header with every request.
async fn a_tenant_header_does_not_keep_a_key_from_the_others(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    let generate = TestRequest::post()
        .uri(&format!("/api/key/generate/{ID}"))
        .set_json(key("Of all", "EdDSA"));
    let made = within(app, other, generate).await.ok();
    assert_eq!(made["key"].get("tenantId"), None);
    let mut serving_all = webhook(&json!(ID));
    serving_all["webhook"]["global"] = json!(true);
    app.post("/api/webhook", serving_all).await.ok();
    for (limited_to, named) in [(app.tenant, other), (other, TenantId::random())] {
        let generate = TestRequest::post()
            .uri("/api/key/generate")
            .set_json(of_tenant(named));
        let refused = within(app, limited_to, generate).await;
        assert_eq!(refused.codes(), ["[invalid]key.tenantId"]);
    }
}

async fn a_key_belongs_to_a_tenant_or_to_all(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    let generate = TestRequest::post()
        .uri(&format!("/api/key/generate/{ID}"))
        .set_json(of_tenant(other));
    let made = within(app, other, generate).await.ok();
    assert_eq!(made["key"]["tenantId"], json!(other));
    let of_all = app.post("/api/key/generate", key("Of all", "EdDSA"));
    assert_eq!(of_all.await.ok()["key"].get("tenantId"), None);
    for (tenant, sees, status) in [(other, 2, 200), (app.tenant, 1, 404)] {
        let list = within(app, tenant, TestRequest::get().uri("/api/key"));
        assert_eq!(list.await.ok()["keys"].as_array().unwrap().len(), sees);
        let path = format!("/api/key/{ID}");
        let get = within(app, tenant, TestRequest::get().uri(&path)).await;
        assert_eq!(get.status, status);
        let rename = TestRequest::put()
            .uri(&path)
            .set_json(json!({"key": {"name": "Renamed"}}));
        assert_eq!(within(app, tenant, rename).await.status, status);
    }
    let delete = TestRequest::delete().uri(&format!("/api/key/{ID}"));
    assert_eq!(within(app, app.tenant, delete).await.status, 404);
    let delete = TestRequest::delete().uri(&format!("/api/key/{ID}"));
    assert_eq!(within(app, other, delete).await.status, 200);
    app.add_key(ApiKey {
        tenant_id: Some(other),
        ..api_key("locked")
    })
    .await;
    for path in ["/api/key", "/api/key/generate", "/api/key/import"] {
        let request = TestRequest::post()
            .uri(path)
            .insert_header((AUTHORIZATION, "locked"))
            .set_json(key("Mine", "EdDSA"));
        let expected = if path == "/api/key" { 405 } else { 401 };
        assert_eq!(app.send(request).await.status, expected, "{path}");
    }
}

async fn a_webhook_names_keys_of_whom_it_serves(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    let generate = TestRequest::post()
        .uri(&format!("/api/key/generate/{ID}"))
        .set_json(of_tenant(other));
    within(app, other, generate).await.ok();
    let serving = |further: Value| {
        let mut body = webhook(&json!(ID));
        body["webhook"]["sslCertificateKeyId"] = json!(ID);
        for (member, value) in further.as_object().unwrap() {
            body["webhook"][member] = value.clone();
        }
        body
    };
    let invalid = [
        "[invalid]webhook.signatureConfiguration.signingKeyId",
        "[invalid]webhook.sslCertificateKeyId",
    ];
    for further in [
        json!({"global": true}),
        json!({"global": true, "tenantIds": [other]}),
        json!({"tenantIds": [app.tenant]}),
        json!({"tenantIds": [app.tenant, other]}),
    ] {
        let refused = app.post("/api/webhook", serving(further)).await;
        assert_eq!(refused.codes(), invalid);
    }
    let made = app.post("/api/webhook", serving(json!({"tenantIds": [other]})));
    let id = made.await.ok()["webhook"]["id"].clone();
    let path = format!("/api/webhook/{}", id.as_str().unwrap());
    let widened = app.patch(&path, json!({"webhook": {"tenantIds": [app.tenant]}}));
    assert_eq!(widened.await.codes(), invalid);
    let tie = json!({"tenant": {}, "webhookIds": [id]});
    let tenant = format!("/api/tenant/{}", app.tenant);
    let tied = app.patch(&tenant, tie.clone());
    assert_eq!(tied.await.codes(), ["[invalid]webhookIds[0]"]);
    app.patch(&format!("/api/tenant/{other}"), tie).await.ok();
    let unknown = json!({"webhook": {"sslCertificateKeyId": other}});
    assert_eq!(app.patch(&path, unknown).await.codes(), [invalid[1]]);
}
