//! Promises about who is let in, and about the order in which requests are refused.

use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::test::TestRequest;
use beadle_common::model::api_key::ApiKey;
use beadle_common::unix_millis::UnixMillis;
use serde_json::Value;

use crate::test_support::{KEY, NOON, TestApp, api_key, both_databases, endpoints};

both_databases!(
    no_key_no_answer,
    a_key_stops_working_when_it_expires,
    permissions_are_by_endpoint_and_method,
    a_locked_key_stays_in_its_tenant,
    refusals_come_in_order,
    methods_that_nobody_knows_are_501,
);

const PATH: &str = "/api/user-action";

async fn with_key(app: &TestApp, key: &str, method: Method, path: &str) -> u16 {
    let request = TestRequest::with_uri(path)
        .method(method)
        .insert_header((AUTHORIZATION, key));
    let answer = app.send(request).await;
    assert!(
        answer.status != 401 || answer.body == Value::Null,
        "a 401 is empty"
    );
    answer.status
}

async fn no_key_no_answer(app: &TestApp) {
    assert_eq!(app.send(TestRequest::with_uri(PATH)).await.status, 401);
    for key in ["", " ", "wrong", "Bearer test-key"] {
        assert_eq!(with_key(app, key, Method::GET, PATH).await, 401, "{key}");
    }
    assert_eq!(with_key(app, KEY, Method::GET, PATH).await, 200);
}

async fn a_key_stops_working_when_it_expires(app: &TestApp) {
    let expiration_instant = Some(UnixMillis::from_millis(NOON + 10));
    app.add_key(ApiKey {
        expiration_instant,
        ..api_key("brief")
    })
    .await;
    assert_eq!(with_key(app, "brief", Method::GET, PATH).await, 200);
    app.advance(10);
    assert_eq!(with_key(app, "brief", Method::GET, PATH).await, 401);
}

async fn permissions_are_by_endpoint_and_method(app: &TestApp) {
    app.add_key(ApiKey {
        permissions: endpoints(PATH, &["GET"]),
        ..api_key("reader")
    })
    .await;
    app.add_key(ApiKey {
        permissions: endpoints("/api/user/action", &["POST"]),
        ..api_key("actor")
    })
    .await;
    for (key, method, path, status) in [
        ("reader", Method::GET, "/api/user-action", 200),
        (
            "reader",
            Method::GET,
            "/api/user-action/5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10",
            404,
        ),
        ("reader", Method::POST, "/api/user-action", 401),
        ("reader", Method::GET, "/api/user-action-reason", 401),
        ("actor", Method::POST, "/api/user/action", 400),
        ("actor", Method::POST, "/api/user", 401),
        ("actor", Method::GET, "/api/user/action", 401),
    ] {
        assert_eq!(
            with_key(app, key, method.clone(), path).await,
            status,
            "{key} {method} {path}"
        );
    }
}

async fn a_locked_key_stays_in_its_tenant(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    app.add_key(ApiKey {
        tenant_id: Some(other),
        ..api_key("locked")
    })
    .await;
    let with_tenant = |tenant: String| {
        let request = TestRequest::with_uri(PATH)
            .insert_header((AUTHORIZATION, "locked"))
            .insert_header(("X-FusionAuth-TenantId", tenant));
        async move { app.send(request).await.status }
    };
    assert_eq!(with_tenant(other.to_string().to_uppercase()).await, 200);
    assert_eq!(with_tenant(app.tenant.to_string()).await, 401);
    assert_eq!(with_tenant("x".to_owned()).await, 401);
    assert_eq!(with_tenant(String::new()).await, 401);
    assert_eq!(with_key(app, "locked", Method::POST, PATH).await, 401);
    assert_eq!(
        with_key(app, "locked", Method::GET, "/api/api-key").await,
        401
    );
}

async fn refusals_come_in_order(app: &TestApp) {
    let unknown = TestRequest::post().uri("/api/nothing");
    assert_eq!(app.send(unknown).await.status, 404);
    let wrong_method = TestRequest::patch().uri("/api/user/action");
    assert_eq!(app.send(wrong_method).await.status, 405);
    let no_key = TestRequest::put()
        .uri("/api/user-action/x")
        .insert_header(("X-FusionAuth-TenantId", "x"));
    assert_eq!(app.send(no_key).await.status, 401);
    for tenant in ["x", "", " "] {
        let tenant = TestRequest::put()
            .uri("/api/user-action/x")
            .insert_header((AUTHORIZATION, KEY))
            .insert_header(("X-FusionAuth-TenantId", tenant));
        assert_eq!(
            app.send(tenant).await.codes(),
            ["[couldNotConvert]tenantId"]
        );
    }
    let id = app.call(Method::PUT, "/api/user-action/x", None).await;
    assert_eq!(id.codes(), ["[couldNotConvert]userActionId"]);
    let absent = "/api/user-action/5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10";
    assert_eq!(app.call(Method::PUT, absent, None).await.status, 404);
    assert_eq!(
        app.call(Method::POST, absent, None).await.codes(),
        ["[missing]"]
    );
}

async fn methods_that_nobody_knows_are_501(app: &TestApp) {
    let brew = Method::from_bytes(b"BREW").unwrap();
    assert_eq!(
        app.send(TestRequest::with_uri(PATH).method(brew))
            .await
            .status,
        501
    );
}
