//! Promises of `/api/login`.

use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use actix_web::web::Data;
use serde_json::{Value, json};

use crate::hashing::{Asker, Hashing};
use crate::state::State;
use crate::test_support::{Answered, KEY, NOON, TestApp, both_databases};

both_databases!(
    a_user_logs_in_by_either_name,
    an_action_keeps_a_user_out_until_it_ends,
    what_is_checked_first_is_answered_first,
    an_application_may_do_without_a_key,
    a_deactivated_application_lets_nobody_in,
    nobody_sends_more_than_a_login_has,
    strangers_are_told_to_come_back_when_too_many_wait,
    a_login_is_never_repeated_by_its_idempotency_key,
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
    let without_key = |body: Value| stranger(app, body.to_string());
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

/// Somebody without a key.
async fn stranger(app: &TestApp, body: String) -> Answered {
    app.send(login_request(&body)).await
}

fn login_request(body: &str) -> TestRequest {
    TestRequest::post()
        .uri("/api/login")
        .insert_header((CONTENT_TYPE, "application/json"))
        .set_payload(body.to_owned())
}

/// An application that asks for no key, and a login there.
async fn open_forum(app: &TestApp) -> Value {
    rita(app).await;
    let open = json!({"name": "Forum", "loginConfiguration": {"requireAuthentication": false}});
    app.post(
        &format!("/api/application/{FORUM}"),
        json!({ "application": open }),
    )
    .await
    .ok();
    json!({"loginId": "rita", "password": "password", "applicationId": FORUM})
}

async fn a_deactivated_application_lets_nobody_in(app: &TestApp) {
    let body = open_forum(app).await;
    let path = format!("/api/application/{FORUM}");
    app.delete(&path).await.ok_empty();
    assert_eq!(stranger(app, body.to_string()).await.status, 401);
    let refused = app.post("/api/login", body.clone()).await;
    assert_eq!(refused.codes(), ["[inactive]applicationId"]);
    app.put(&format!("{path}?reactivate=true"), json!({}))
        .await
        .ok();
    assert_eq!(stranger(app, body.to_string()).await.status, 202);
    assert_eq!(app.post("/api/login", body).await.status, 202);
}

async fn nobody_sends_more_than_a_login_has(app: &TestApp) {
    let mut body = open_forum(app).await;
    body["metaData"] = json!({"device": "x".repeat(7_000)});
    assert_eq!(stranger(app, body.to_string()).await.status, 202);
    assert_eq!(app.post("/api/login", body.clone()).await.status, 202);
    body["metaData"] = json!({"device": "x".repeat(9_000)});
    assert_eq!(stranger(app, body.to_string()).await.status, 401);
    assert_eq!(app.post("/api/login", body).await.status, 413);
}

async fn strangers_are_told_to_come_back_when_too_many_wait(app: &TestApp) {
    let body = open_forum(app).await;
    let state = Data::new(State {
        hashing: Hashing::new(1, 1, 0),
        ..State::clone(&app.state)
    });
    let turn = state.hashing.turn(Asker::Stranger).await.unwrap();
    let request = || login_request(&body.to_string());
    let busy = TestApp::send_to(&state, request()).await;
    assert_eq!(busy.status, 503);
    assert_eq!(busy.body["generalErrors"][0]["code"], "[TooBusy]");
    let with_key = request().insert_header((AUTHORIZATION, KEY));
    let keyed = TestApp::send_to(&state, with_key);
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(turn);
    };
    let (keyed, ()) = tokio::join!(keyed, release);
    assert_eq!(keyed.status, 202);
}

async fn a_login_is_never_repeated_by_its_idempotency_key(app: &TestApp) {
    rita(app).await;
    let again = || {
        let body = json!({"loginId": "rita", "password": "password"});
        let request = login_request(&body.to_string())
            .insert_header((AUTHORIZATION, KEY))
            .insert_header(("Idempotency-Key", "one login"));
        app.send(request)
    };
    assert_eq!(again().await.status, 200);
    app.delete(USER).await.ok_empty();
    assert_eq!(again().await.status, 423);
}
