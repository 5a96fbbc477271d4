//! Promises of `/api/user`.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use beadle_common::id::UserId;
use beadle_common::model::user::User;
use serde_json::{Value, json};

use crate::test_support::{KEY, NOON, TestApp, both_databases};

const ID: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const PATH: &str = "/api/user/9af67e9a-8332-4c06-971c-463b6710c340";

both_databases!(
    a_user_is_created_and_found_by_every_name,
    all_mistakes_are_reported_at_once,
    the_password_is_hashed_and_kept,
    a_user_is_deactivated_reactivated_and_removed,
    several_tenants_need_a_scope,
);

async fn a_user_is_created_and_found_by_every_name(app: &TestApp) {
    let created = app
        .post(PATH, json!({"user": {
            "email": "Reader@Example.com", "username": "Reader", "password": "password",
            "preferredLanguages": ["de-at", "fr"], "timezone": "Europe/Vienna", "birthDate": "1990-02-28",
            "firstName": " Rita ", "tenantId": ID, "active": false, "expiry": "9223372036854776000",
        }}))
        .await
        .ok();
    assert_eq!(
        created,
        json!({"user": {
            "active": true, "birthDate": "1990-02-28", "data": {}, "email": "reader@example.com",
            "expiry": 9_223_372_036_854_775_807_i64, "firstName": "Rita", "id": ID, "identities": [],
            "insertInstant": NOON, "lastUpdateInstant": NOON, "memberships": [],
            "passwordChangeRequired": false, "passwordLastUpdateInstant": NOON,
            "preferredLanguages": ["de_AT", "fr"], "registrations": [], "tenantId": app.tenant,
            "timezone": "Europe/Vienna", "twoFactor": {"methods": [], "recoveryCodes": []},
            "username": "Reader", "usernameStatus": "ACTIVE", "verified": true,
        }})
    );
    for query in [
        "email=READER%40example.com",
        "username=reader",
        "loginId=READER",
        "loginId=reader@example.com",
    ] {
        assert_eq!(
            app.get(&format!("/api/user?{query}")).await.ok(),
            created,
            "{query}"
        );
    }
    assert_eq!(app.get(PATH).await.ok(), created);
    assert_eq!(
        app.get("/api/user?email=nobody@example.com").await.status,
        404
    );
    assert_eq!(app.get("/api/user").await.codes(), ["[missing]userId"]);
    let patched = app
        .patch(PATH, json!({"user": {"username": null, "data": {"a": 1}}}))
        .await
        .ok();
    assert_eq!(patched["user"]["data"], json!({"a": 1}));
    assert!(patched["user"].get("username").is_none());
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    app.post(
        PATH,
        json!({"user": {"email": "a@example.com", "username": "a", "password": "password"}}),
    )
    .await
    .ok();
    assert_eq!(
        app.post("/api/user", json!({"user": {}})).await.codes(),
        [
            "[blank]user.email",
            "[blank]user.password",
            "[blank]user.username"
        ]
    );
    let wrong = json!({"user": {
        "email": "A@example.com", "username": "A", "password": "short", "timezone": "Mars/Base",
        "birthDate": "1990-02-30", "preferredLanguages": ["german"], "parentEmail": "me", "expiry": [],
    }});
    assert_eq!(
        app.post(PATH, wrong).await.codes(),
        [
            "[invalidJSON] on user.birthDate",
            "[invalidJSON] on user.expiry",
            "[notEmail]user.parentEmail",
            "[tooShort]user.password",
            "[invalidJSON] on user.preferredLanguages",
            "[invalidJSON] on user.timezone",
            "[duplicate]userId",
        ]
    );
    let taken =
        json!({"user": {"email": "A@example.com", "username": "A"}, "sendSetPasswordEmail": true});
    assert_eq!(
        app.post("/api/user", taken).await.codes(),
        ["[duplicate]user.email", "[duplicate]user.username"]
    );
    assert_eq!(
        app.post("/api/user/x", json!({})).await.codes(),
        ["[couldNotConvert]userId"]
    );
    let without = json!({"user": {"username": "b"}, "sendSetPasswordEmail": true});
    assert!(
        app.post("/api/user", without).await.ok()["user"]
            .get("passwordLastUpdateInstant")
            .is_none()
    );
}

async fn the_password_is_hashed_and_kept(app: &TestApp) {
    let verifies = |password: &'static str| async move {
        let id: UserId = ID.parse().unwrap();
        let user = app
            .state
            .read(move |connection| Ok(User::find(connection, id)?))
            .await
            .unwrap()
            .unwrap();
        let hash = user.password_hash.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        Argon2::default()
            .verify_password(password.as_bytes(), &PasswordHash::new(&hash).unwrap())
            .is_ok()
    };
    app.post(
        PATH,
        json!({"user": {"username": "a", "password": " password "}}),
    )
    .await
    .ok();
    assert!(verifies(" password ").await);
    app.advance(1);
    let put = app.put(PATH, json!({"user": {"username": "b"}})).await.ok();
    assert_eq!(put["user"]["passwordLastUpdateInstant"], json!(NOON));
    assert!(verifies(" password ").await);
    let operations = json!([{"op": "add", "path": "/user/password", "value": "another one"}]);
    let request = TestRequest::with_uri(PATH)
        .method(Method::PATCH)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, "application/json-patch+json"))
        .set_payload(operations.to_string());
    app.send(request).await.ok();
    assert!(verifies("another one").await);
    app.patch(PATH, json!({"user": {"password": "a third one"}}))
        .await
        .ok();
    assert!(verifies("a third one").await);
}

async fn a_user_is_deactivated_reactivated_and_removed(app: &TestApp) {
    app.post(
        PATH,
        json!({"user": {"username": "a", "password": "password"}}),
    )
    .await
    .ok();
    assert_eq!(app.delete(PATH).await.status, 200);
    assert_eq!(app.get(PATH).await.ok()["user"]["active"], false);
    let put = app
        .put(PATH, json!({"user": {"username": "a", "active": true}}))
        .await
        .ok();
    assert_eq!(put["user"]["active"], false);
    let reactivated = app
        .call(Method::PUT, &format!("{PATH}?reactivate=true"), None)
        .await
        .ok();
    assert_eq!(reactivated["user"]["active"], true);
    assert_eq!(
        app.delete(&format!("{PATH}?hardDelete=true")).await.status,
        200
    );
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::PATCH] {
        assert_eq!(app.call(method, PATH, None).await.status, 404);
    }
}

async fn several_tenants_need_a_scope(app: &TestApp) {
    let other = app.add_tenant("Other").await.to_string();
    let user = json!({"user": {"username": "a", "password": "password"}});
    assert_eq!(
        app.post("/api/user", user.clone()).await.codes(),
        ["[TenantIdRequired]"]
    );
    assert_eq!(
        app.get("/api/user?username=a").await.codes(),
        ["[TenantIdRequired]"]
    );
    let scoped = |method: Method, path: &str, tenant: &str, body: Value| {
        app.send(
            TestRequest::with_uri(path)
                .method(method)
                .insert_header((AUTHORIZATION, KEY))
                .insert_header((CONTENT_TYPE, "application/json"))
                .insert_header(("X-FusionAuth-TenantId", tenant))
                .set_payload(body.to_string()),
        )
    };
    let created = scoped(Method::POST, PATH, &other, user.clone()).await.ok();
    assert_eq!(created["user"]["tenantId"], json!(other));
    scoped(Method::POST, "/api/user", &app.tenant.to_string(), user)
        .await
        .ok();
    assert_eq!(app.get(PATH).await.status, 200);
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(
            scoped(method, PATH, &app.tenant.to_string(), json!({}))
                .await
                .status,
            404
        );
    }
    assert_eq!(
        scoped(Method::GET, PATH, "x", json!({})).await.codes(),
        ["[couldNotConvert]tenantId"]
    );
    assert_eq!(
        scoped(Method::GET, PATH, ID, json!({})).await.codes(),
        ["[invalid]tenantId"]
    );
}
