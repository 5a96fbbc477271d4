//! What an action costs through the API, in statements: key, reads and writes. Counts are
//! the same on every machine, so a step back shows here before any clock notices it.

use beadle_common::db::Backend;
use serde_json::{Value, json};

use crate::test_support::{TestApp, both_databases};

const PATH: &str = "/api/user/action";
const USER: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const THANK: &str = "b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";

both_databases!(an_action_costs_no_more_statements);

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

async fn an_action_costs_no_more_statements(app: &TestApp) {
    world(app).await;
    // What is remembered, and each of the two who take actions has its connection.
    for _ in 0..4 {
        app.post(PATH, thank()).await.ok();
    }
    let before = app.state.db.statements();
    app.post(PATH, thank()).await.ok();
    let run = app.state.db.statements().since(before).run;
    let limit = match app.state.db.backend() {
        // Users, and everything that is written.
        Backend::Postgres => 2,
        Backend::Sqlite => 14,
    };
    assert!(run <= limit, "{run} statements");
}
