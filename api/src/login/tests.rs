//! Promises of `/api/login`.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_support::{Answered, NOON, TestApp, both_databases};

both_databases!(
    a_user_logs_in_by_either_name,
    an_action_keeps_a_user_out_until_it_ends,
    what_is_checked_first_is_answered_first,
    an_application_may_do_without_a_key,
);

const ID: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const USER: &str = "/api/user/9af67e9a-8332-4c06-971c-463b6710c340";
const FORUM: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";

async fn rita(app: &TestApp) {
    let user = json!({"username": "Rita", "email": "rita@example.com", "password": "password"});
    app.post(USER, json!({ "user": user })).await.ok();
}

async fn login(app: &TestApp, password: &str) -> Answered {
    let body = json!({"loginId": "rita", "password": password});
    app.post("/api/login", body).await
}

async fn a_user_logs_in_by_either_name(app: &TestApp) {
    rita(app).await;
    let user = app.get(USER).await.ok();
    for name in ["rita", "RITA@example.com"] {
        let body = json!({"loginId": name, "password": "password", "noJWT": true});
        assert_eq!(app.post("/api/login", body).await.ok(), user);
    }
    assert_eq!(login(app, "passwort").await.status, 404);
    let nobody = json!({"loginId": "nobody", "password": "password"});
    assert_eq!(app.post("/api/login", nobody).await.status, 404);
    let empty = json!({"loginId": " "});
    assert_eq!(
        app.post("/api/login", empty).await.codes(),
        ["[blank]loginId", "[blank]password"]
    );
}

async fn an_action_keeps_a_user_out_until_it_ends(app: &TestApp) {
    rita(app).await;
    let forum = json!({"application": {"name": "Forum"}});
    app.post(&format!("/api/application/{FORUM}"), forum)
        .await
        .ok();
    let ban = json!({"userAction": {"name": "Ban", "temporal": true, "preventLogin": true}});
    let ban = app.post("/api/user-action", ban).await.ok()["userAction"]["id"].clone();
    let action = json!({"action": {
        "actioneeUserId": ID, "actionerUserId": ID, "userActionId": ban, "expiry": NOON + 1_000,
        "applicationIds": [FORUM],
    }});
    app.post("/api/user/action", action).await.ok();
    let refused = login(app, "password").await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.body,
        json!({"actions": [{
            "actionId": ban, "actionerUserId": ID, "expiry": NOON + 1_000, "localizedName": "Ban", "name": "Ban",
        }]})
    );
    let shop = app
        .post("/api/application", json!({"application": {"name": "Shop"}}))
        .await
        .ok();
    let at = |application: Value| json!({"loginId": "rita", "password": "password", "applicationId": application});
    assert_eq!(app.post("/api/login", at(json!(FORUM))).await.status, 409);
    assert_eq!(
        app.post("/api/login", at(shop["application"]["id"].clone()))
            .await
            .status,
        202
    );
    assert_eq!(
        app.post("/api/login", at(ban)).await.codes(),
        ["[invalid]applicationId"]
    );
    app.advance(1_000);
    assert_eq!(login(app, "password").await.status, 200);
}

async fn what_is_checked_first_is_answered_first(app: &TestApp) {
    rita(app).await;
    app.patch(USER, json!({"user": {"expiry": NOON}}))
        .await
        .ok();
    assert_eq!(login(app, "wrong").await.status, 404);
    assert_eq!(login(app, "password").await.status, 410);
    app.delete(USER).await;
    assert_eq!(
        login(app, "wrong").await,
        Answered {
            status: 423,
            body: Value::Null
        }
    );
}

async fn an_application_may_do_without_a_key(app: &TestApp) {
    rita(app).await;
    let path = format!("/api/application/{FORUM}");
    app.post(&path, json!({"application": {"name": "Forum"}}))
        .await
        .ok();
    let without_key = |body: Value| {
        let request = TestRequest::post()
            .uri("/api/login")
            .insert_header((CONTENT_TYPE, "application/json"))
            .set_payload(body.to_string());
        app.send(request)
    };
    let body = json!({"loginId": "rita", "password": "password", "applicationId": FORUM});
    assert_eq!(without_key(body.clone()).await.status, 401);
    let open = json!({"application": {"loginConfiguration": {"requireAuthentication": false}}});
    app.patch(&path, open).await.ok();
    assert_eq!(without_key(body).await.status, 202);
    assert_eq!(
        without_key(json!({"loginId": "rita", "password": "password"}))
            .await
            .status,
        401
    );
}
