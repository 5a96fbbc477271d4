//! Promises about bodies that come late: what counts is when the work begins, and the state
//! of the action then.

use std::sync::atomic::Ordering;

use actix_web::http::Method;
use beadle_common::lifecycle::end_due;
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Value, json};

use crate::test_support::{NOON, TestApp, both_databases};

const PATH: &str = "/api/user/action";
const RITA: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const BAN: &str = "b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";
const MINUTE: i64 = 60_000;

both_databases!(
    an_action_that_ends_before_the_body_is_there_is_not_changed,
    an_action_that_has_ended_by_the_clock_of_a_worker_is_not_changed,
    an_action_is_taken_when_its_body_is_there,
);

async fn world(app: &TestApp) {
    let user = json!({"user": {"username": "rita", "password": "password"}});
    app.post(&format!("/api/user/{RITA}"), user).await.ok();
    let ban = json!({"userAction": {"name": "Ban", "temporal": true, "sendEndEvent": true}});
    app.post(&format!("/api/user-action/{BAN}"), ban).await.ok();
}

fn ban() -> Value {
    json!({"broadcast": true, "action": {
        "actioneeUserId": RITA, "actionerUserId": RITA, "userActionId": BAN, "expiry": NOON + MINUTE,
    }})
}

fn change() -> Value {
    json!({"broadcast": true, "action": {"actionerUserId": RITA, "expiry": NOON + 9 * MINUTE}})
}

/// Takes an action, and returns where it is.
async fn take(app: &TestApp) -> String {
    let taken = app.post(PATH, ban()).await.ok();
    format!("{PATH}/{}", taken["action"]["id"].as_str().unwrap())
}

/// Has a worker end what has expired at `now`.
async fn end(app: &TestApp, now: i64) {
    let run = end_due(
        &app.state.db,
        &app.state.setup,
        UnixMillis::from_millis(now),
    )
    .await;
    assert_eq!(run.unwrap().ended, 1);
}

async fn an_action_that_ends_before_the_body_is_there_is_not_changed(app: &TestApp) {
    world(app).await;
    for method in [Method::PUT, Method::DELETE] {
        app.hand().store(NOON, Ordering::SeqCst);
        let path = take(app).await;
        let (hand, state) = (app.hand(), app.state.clone());
        let meanwhile = async move {
            let now = hand.fetch_add(MINUTE, Ordering::SeqCst) + MINUTE;
            let now = UnixMillis::from_millis(now);
            let run = end_due(&state.db, &state.setup, now).await;
            assert_eq!(run.unwrap().ended, 1);
        };
        let answer = app
            .call_late(method.clone(), &path, &change(), meanwhile)
            .await;
        assert_eq!(answer.codes(), ["[invalid]actionId"], "{method}");
        let log = app.get(&path).await.ok();
        assert_eq!(log["action"]["endEventSent"], json!(true));
        assert_eq!(log["action"]["expiry"], json!(NOON + MINUTE));
    }
}

async fn an_action_that_has_ended_by_the_clock_of_a_worker_is_not_changed(app: &TestApp) {
    world(app).await;
    let path = take(app).await;
    app.advance(MINUTE - 10);
    end(app, NOON + MINUTE).await;
    let late = app.put(&path, change()).await;
    assert_eq!(late.codes(), ["[invalid]actionId"]);
    let late = app.call(Method::DELETE, &path, Some(change())).await;
    assert_eq!(late.codes(), ["[invalid]actionId"]);
}

async fn an_action_is_taken_when_its_body_is_there(app: &TestApp) {
    world(app).await;
    let hand = app.hand();
    let meanwhile = async move {
        hand.fetch_add(5_000, Ordering::SeqCst);
    };
    let taken = app
        .call_late(Method::POST, PATH, &ban(), meanwhile)
        .await
        .ok();
    assert_eq!(taken["action"]["insertInstant"], json!(NOON + 5_000));
    assert_eq!(
        taken["action"]["event"]["createInstant"],
        json!(NOON + 5_000)
    );
}
