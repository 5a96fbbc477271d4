//! Whoever holds a key of one tenant finds nothing of another, and changes nothing there.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::model::api_key::ApiKey;
use serde_json::{Value, json};

use crate::test_support::{Answered, KEY, NOON, TestApp, api_key, both_databases};

both_databases!(
    nothing_of_another_tenant_is_found_or_changed,
    nothing_of_another_tenant_is_named,
    lists_and_searches_show_ones_own,
);

/// Of the other tenant.
const USER: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const APPLICATION: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";
const DEFINITION: &str = "b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";
const WEBHOOK: &str = "2f1c1f0e-7d3c-4c86-b8a4-3d1f6a7a2c55";
const SIGNING: &str = "5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10";
const API_KEY: &str = "7d4c3a44-0b1c-4a5e-9a58-2e0f0d6f3b77";

/// Of the tenant that the key is locked to, as is the rest.
const OWN: &str = "ac2f073d-c063-4a7b-ab76-812f44ed7f55";
/// Shared by all.
const SHARED: &str = "00000000-0000-0000-0000-000000000001";

const LOCKED: &str = "locked to one tenant";

async fn send(app: &TestApp, key: &str, method: &Method, path: &str, body: &Value) -> Answered {
    let request = TestRequest::with_uri(path)
        .method(method.clone())
        .insert_header((AUTHORIZATION, key))
        .insert_header((CONTENT_TYPE, "application/json"))
        .set_payload(body.to_string());
    app.send(request).await
}

async fn within(app: &TestApp, tenant: &str, path: &str, body: Value) -> Value {
    let request = TestRequest::post()
        .uri(path)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header(("X-FusionAuth-TenantId", tenant))
        .set_json(body);
    app.send(request).await.ok()
}

/// Two tenants with all that a tenant may have, and a managing key that is locked to the
/// first. The Ids of the second, and of its action.
async fn neighbours(app: &TestApp) -> (String, String) {
    let own = app.tenant.to_string();
    let other = app.add_tenant("Other").await.to_string();
    app.add_key(ApiKey {
        tenant_id: Some(app.tenant),
        key_manager: true,
        ..api_key(LOCKED)
    })
    .await;
    for (tenant, id, name) in [(&own, OWN, "own"), (&other, USER, "other")] {
        let email = format!("{name}@example.com");
        let user = json!({"user": {"email": email, "password": "password"}});
        within(app, tenant, &format!("/api/user/{id}"), user).await;
    }
    let application = json!({"application": {"name": "Forum"}});
    let path = format!("/api/application/{APPLICATION}");
    within(app, &other, &path, application).await;
    let registration = json!({"registration": {"applicationId": APPLICATION}});
    let path = format!("/api/user/registration/{USER}");
    within(app, &other, &path, registration).await;
    for (id, name, tenants) in [
        (DEFINITION, "Theirs", json!([other])),
        (SHARED, "Ban", json!([])),
    ] {
        let definition = json!({"name": name, "temporal": true, "tenantIds": tenants});
        let path = format!("/api/user-action/{id}");
        within(app, &other, &path, json!({ "userAction": definition })).await;
    }
    let action = json!({"action": {
        "actioneeUserId": USER, "actionerUserId": USER, "userActionId": DEFINITION,
        "expiry": NOON + 1_000_000, "applicationIds": [APPLICATION],
    }});
    let log = within(app, &other, "/api/user/action", action).await;
    let log = log["action"]["id"].as_str().unwrap().to_owned();
    let key = json!({"key": {"name": "Theirs", "algorithm": "EdDSA", "tenantId": other}});
    within(app, &other, &format!("/api/key/generate/{SIGNING}"), key).await;
    let webhook = json!({"webhook": {
        "url": "https://example.com/", "connectTimeout": 1, "readTimeout": 1, "tenantIds": [other],
    }});
    within(app, &other, &format!("/api/webhook/{WEBHOOK}"), webhook).await;
    let key = json!({"apiKey": {"name": "Theirs", "tenantId": other}});
    within(app, &other, &format!("/api/api-key/{API_KEY}"), key).await;
    (other, log)
}

/// All that the other tenant has, as an operator sees it.
async fn theirs(app: &TestApp, other: &str) -> Vec<Value> {
    let mut shown = Vec::new();
    for path in [
        format!("/api/tenant/{other}"),
        format!("/api/user/{USER}"),
        format!("/api/application/{APPLICATION}"),
        format!("/api/user/registration/{USER}/{APPLICATION}"),
        format!("/api/user/action?userId={USER}"),
        format!("/api/user-action/{DEFINITION}"),
        format!("/api/webhook/{WEBHOOK}"),
        format!("/api/key/{SIGNING}"),
        format!("/api/api-key/{API_KEY}"),
    ] {
        shown.push(app.get(&path).await.ok());
    }
    shown
}

async fn nothing_of_another_tenant_is_found_or_changed(app: &TestApp) {
    let (other, log) = neighbours(app).await;
    let before = theirs(app, &other).await;
    let changes = [Method::PUT, Method::PATCH, Method::DELETE];
    let all = [Method::GET, Method::PUT, Method::PATCH, Method::DELETE];
    let without_patch = [Method::GET, Method::PUT, Method::DELETE];
    for (path, methods, status) in [
        (format!("/api/user/{USER}"), &all[..], 404),
        (format!("/api/user/{USER}?hardDelete=true"), &all, 404),
        (format!("/api/user/{USER}?reactivate=true"), &all, 404),
        (format!("/api/application/{APPLICATION}"), &all, 404),
        (
            format!("/api/application/{APPLICATION}?hardDelete=true"),
            &all,
            404,
        ),
        (format!("/api/user/action/{log}"), &all, 404),
        (format!("/api/api-key/{API_KEY}"), &all, 404),
        (format!("/api/tenant/{other}"), &all, 401),
        (format!("/api/user-action/{DEFINITION}"), &changes, 401),
        (
            format!("/api/user-action/{DEFINITION}?hardDelete=true"),
            &changes,
            401,
        ),
        (format!("/api/webhook/{WEBHOOK}"), &all, 401),
        (format!("/api/key/{SIGNING}"), &without_patch, 401),
    ] {
        for method in methods {
            let answer = send(app, LOCKED, method, &path, &json!({})).await;
            let expected = match (method, status) {
                // An action is modified by its PUT alone.
                (&Method::PATCH, 404) if path.contains("/user/action/") => 405,
                (_, status) => status,
            };
            assert_eq!(answer.status, expected, "{method} {path}");
        }
    }
    for (method, path, status) in [
        (
            Method::GET,
            "/api/user?email=other@example.com".to_owned(),
            404,
        ),
        (Method::GET, format!("/api/user/action?userId={USER}"), 404),
        (
            Method::GET,
            format!("/api/user/registration/{USER}/{APPLICATION}"),
            404,
        ),
        (
            Method::DELETE,
            format!("/api/user/registration/{USER}/{APPLICATION}"),
            404,
        ),
        (Method::GET, "/api/webhook".to_owned(), 401),
        (Method::GET, "/api/webhook/search".to_owned(), 401),
        (Method::GET, format!("/api/webhook/{WEBHOOK}/secret"), 401),
        (
            Method::POST,
            format!("/api/webhook/{WEBHOOK}/secret/rotate"),
            401,
        ),
        (Method::POST, format!("/api/webhook/{WEBHOOK}/enable"), 401),
        (Method::POST, format!("/api/webhook/{WEBHOOK}/test"), 401),
        (Method::GET, "/api/key".to_owned(), 401),
        (Method::GET, "/api/delivery/search".to_owned(), 401),
        (Method::POST, "/api/delivery/replay".to_owned(), 401),
        (Method::GET, "/api/system/event-log/search".to_owned(), 401),
        (Method::GET, "/api/system/audit-log/search".to_owned(), 401),
        (
            Method::GET,
            "/api/system/webhook-event-log/search".to_owned(),
            401,
        ),
    ] {
        let answer = send(app, LOCKED, &method, &path, &json!({})).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
    assert_eq!(theirs(app, &other).await, before);
}

async fn nothing_of_another_tenant_is_named(app: &TestApp) {
    let (other, _) = neighbours(app).await;
    let before = theirs(app, &other).await;
    let action = |member: &str, value: Value| {
        let mut action = json!({
            "actioneeUserId": OWN, "actionerUserId": OWN, "userActionId": SHARED, "expiry": NOON + 1_000_000,
        });
        action[member] = value;
        json!({ "action": action })
    };
    let sample = json!({"emailTemplate": {
        "name": "Mail", "defaultSubject": "s", "defaultHtmlTemplate": "h", "defaultTextTemplate": "t",
    }});
    let template = app.post("/api/email/template", sample).await.ok();
    let template = template["emailTemplate"]["id"].as_str().unwrap();
    let mail = format!("/api/email/send/{template}");
    let take = "/api/user/action";
    let register = format!("/api/user/registration/{OWN}");
    let keys = "/api/api-key";
    for (path, body, code) in [
        (
            take,
            action("actioneeUserId", json!(USER)),
            "[invalid]action.actioneeUserId",
        ),
        (
            take,
            action("actionerUserId", json!(USER)),
            "[invalid]action.actionerUserId",
        ),
        (
            take,
            action("userActionId", json!(DEFINITION)),
            "[invalid]action.userActionId",
        ),
        (
            take,
            action("applicationIds", json!([APPLICATION])),
            "[invalid]action.applicationIds[0]",
        ),
        (
            &register,
            json!({"registration": {"applicationId": APPLICATION}}),
            "[invalid]registration.applicationId",
        ),
        (
            mail.as_str(),
            json!({"userIds": [USER]}),
            "[invalid]userIds[0]",
        ),
        (
            &mail,
            json!({"userIds": [OWN], "applicationId": APPLICATION}),
            "[invalid]applicationId",
        ),
        (
            "/api/login",
            json!({"loginId": "own@example.com", "password": "password", "applicationId": APPLICATION}),
            "[invalid]applicationId",
        ),
        (
            keys,
            json!({"apiKey": {"tenantId": other}}),
            "[invalid]apiKey.tenantId",
        ),
        (
            keys,
            json!({"sourceKeyId": API_KEY}),
            "[invalid]sourceKeyId",
        ),
    ] {
        let answer = send(app, LOCKED, &Method::POST, path, &body).await;
        assert_eq!(answer.codes(), [code], "{path} {body}");
    }
    let login = json!({"loginId": "other@example.com", "password": "password"});
    let answer = send(app, LOCKED, &Method::POST, "/api/login", &login).await;
    assert_eq!(answer.status, 404);
    let null = json!({"apiKey": {"tenantId": null}});
    let made = send(app, LOCKED, &Method::POST, keys, &null).await.ok();
    assert_eq!(made["apiKey"]["tenantId"], json!(app.tenant));
    assert_eq!(theirs(app, &other).await, before);
}

async fn lists_and_searches_show_ones_own(app: &TestApp) {
    let (other, log) = neighbours(app).await;
    for (path, criteria) in [
        ("/api/tenant/search", json!({"name": "*"})),
        ("/api/user/search", json!({"queryString": "*"})),
        ("/api/user/search", json!({"ids": [USER]})),
        ("/api/user/action/search", json!({"userId": USER})),
        ("/api/user/action/search", json!({})),
    ] {
        let search = json!({ "search": criteria });
        let found = send(app, LOCKED, &Method::POST, path, &search).await;
        let found = found.ok().to_string();
        for hidden in [&other, USER, log.as_str()] {
            assert!(!found.contains(hidden), "{path} {criteria}: {found}");
        }
    }
    for path in ["/api/tenant", "/api/application", "/api/email/suppression"] {
        let found = send(app, LOCKED, &Method::GET, path, &Value::Null).await;
        let found = found.ok().to_string();
        for hidden in [&other, APPLICATION] {
            assert!(!found.contains(hidden), "{path}: {found}");
        }
    }
}
