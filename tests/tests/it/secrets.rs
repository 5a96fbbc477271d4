//! Whoever steals the database gets no secret with it.

use beadle_tests::{TestApp, TestDatabase};
use serde_json::json;

use crate::scene::text;

beadle_tests::both_backends!(secrets_are_unreadable_in_the_database);

async fn secrets_are_unreadable_in_the_database(db: TestDatabase) {
    const SIGNING: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let app = TestApp::builder(db).workers(0).start().await;
    let webhook = json!({"webhook": {
        "url": app.receiver.url(),
        "description": "in plain sight",
        "connectTimeout": 1000,
        "readTimeout": 1000,
        "signingSecret": format!("whsec_{SIGNING}"),
        "httpAuthenticationUsername": "piper",
        "httpAuthenticationPassword": "hidden-webhook-password",
        "headers": {"x-token": "hidden-header-value"},
    }});
    let answer = app.client.post("/api/webhook", &webhook).await.ok();
    let secret = text(&answer, "/webhook/signingSecret");
    assert_eq!(secret, format!("whsec_{SIGNING}"));

    let tenants = app.client.get("/api/tenant").await.ok();
    let tenant = format!("/api/tenant/{}", text(&tenants, "/tenants/0/id"));
    let smtp = json!({"tenant": {"emailConfiguration": {
        "host": "127.0.0.1",
        "port": app.mail.port(),
        "username": "piper",
        "password": "hidden-smtp-password",
    }}});
    app.client.patch(&tenant, &smtp).await.ok();
    let user = json!({"user": {
        "email": "gilfoyle@piedpiper.example",
        "password": "hidden-user-password",
    }});
    app.client.post("/api/user", &user).await.ok();

    let signing = json!({"key": {
        "name": "Signs",
        "algorithm": "HS256",
        "secret": "hidden-signing-secret-of-32-bytes",
    }});
    app.client.post("/api/key/import", &signing).await.ok();

    // The search does find what is not secret.
    for plain in ["in plain sight", "gilfoyle@piedpiper.example"] {
        assert!(app.db.contains(plain), "{plain}");
    }
    let hidden = [
        SIGNING,
        "hidden-webhook-password",
        "hidden-header-value",
        "hidden-smtp-password",
        "hidden-user-password",
        "hidden-signing-secret-of-32-bytes",
        &app.key,
    ];
    for secret in hidden {
        assert!(!app.db.contains(secret), "{secret} can be read");
    }
}
