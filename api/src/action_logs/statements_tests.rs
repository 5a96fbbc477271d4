//! What an action costs through the API, in statements: key, reads and writes. Counts are
//! the same on every machine, so a step back shows here before any clock notices it.

use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::db::Backend;
use serde_json::{Value, json};

use crate::test_support::{KEY, TestApp, both_databases};

const PATH: &str = "/api/user/action";
const USER: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const THANK: &str = "b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";

both_databases!(
    an_action_costs_no_more_statements,
    a_bad_key_costs_one_look_up,
);

async fn world(app: &TestApp) {
    let user = json!({"user": {"username": "rita", "password": "password"}});
    app.post(&format!("/api/user/{USER}"), user).await.ok();
    let thank = json!({"userAction": {"name": "Thank"}});
    let path = format!("/api/user-action/{THANK}");
    app.post(&path, thank).await.ok();
    // Nobody listens there.
    let webhook = json!({"webhook": {
        "url": "http://127.0.0.1:9/", "global": true, "connectTimeout": 1000, "readTimeout": 1000,
        "eventsEnabled": {"user.action": true},
    }});
    app.post("/api/webhook", webhook).await.ok();
}

fn thank() -> Value {
    json!({"broadcast": true, "action": {
        "actioneeUserId": USER, "actionerUserId": USER, "userActionId": THANK,
    }})
}

fn thanking(key: &str) -> TestRequest {
    let body = thank().to_string();
    TestRequest::post()
        .uri(PATH)
        .insert_header((AUTHORIZATION, key))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CONTENT_LENGTH, body.len()))
        .set_payload(body)
}

/// The least that it costs when it is done again and again: the first time a connection is
/// opened, and one that has rested for a while on a slow machine is asked whether it works.
async fn cost(app: &TestApp, key: &str, status: u16) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..6 {
        let before = app.state.db.statements();
        assert_eq!(app.send(thanking(key)).await.status, status);
        least = least.min(app.state.db.statements().since(before).run);
    }
    least
}

async fn an_action_costs_no_more_statements(app: &TestApp) {
    world(app).await;
    let run = cost(app, KEY, 200).await;
    let limit = match app.state.db.backend() {
        // Users, and everything that is written.
        Backend::Postgres => 2,
        Backend::Sqlite => 14,
    };
    assert!(run <= limit, "{run} statements");
}

async fn a_bad_key_costs_one_look_up(app: &TestApp) {
    world(app).await;
    assert_eq!(cost(app, "bad", 401).await, 1);
}
