//! Promises of a tenant's lockout.

use std::sync::{Arc, Mutex, mpsc};

use beadle_common::id::UserId;
use beadle_common::model::user::User;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::test_support::{NOON, TestApp, both_databases};

both_databases!(
    too_many_wrong_passwords_lock_a_user_out,
    wrong_passwords_are_forgotten,
    each_further_failure_restarts_the_duration,
    a_wrong_password_is_answered_before_it_is_counted,
    many_guesses_at_once_make_one_lock,
    a_new_password_lifts_the_lock_if_the_tenant_wants_it,
    the_configuration_names_what_can_lock,
);

const ID: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const USER: &str = "/api/user/9af67e9a-8332-4c06-971c-463b6710c340";
const ACTIONS: &str = "/api/user/action?userId=9af67e9a-8332-4c06-971c-463b6710c340";
const MINUTE: i64 = 60_000;

/// A user, and a tenant that locks her out for three minutes after three wrong passwords
/// within one.
async fn guarded(app: &TestApp, further: Value) -> Value {
    let user = json!({"username": "rita", "password": "password"});
    app.post(USER, json!({ "user": user })).await.ok();
    let lock = json!({"name": "Locked", "temporal": true, "preventLogin": true});
    let lock = app
        .post("/api/user-action", json!({ "userAction": lock }))
        .await
        .ok();
    let id = lock["userAction"]["id"].clone();
    let path = format!("/api/tenant/{}", app.tenant);
    let configure = |configuration| {
        let tenant = json!({"failedAuthenticationConfiguration": configuration});
        app.patch(&path, json!({ "tenant": tenant }))
    };
    configure(json!({"userActionId": id, "tooManyAttempts": 3}))
        .await
        .ok();
    configure(further).await.ok();
    id
}

async fn login(app: &TestApp, password: &str) -> u16 {
    let body = json!({"loginId": "rita", "password": password, "ipAddress": "192.0.2.7"});
    app.post("/api/login", body).await.status
}

async fn guess(app: &TestApp, times: usize) {
    for _ in 0..times {
        assert_eq!(login(app, "wrong").await, 404);
    }
    app.state.failures.are_counted(rita()).await.unwrap();
}

fn rita() -> UserId {
    ID.parse().unwrap()
}

async fn actions(app: &TestApp) -> Vec<Value> {
    let answer = app.get(ACTIONS).await.ok();
    answer["actions"].as_array().unwrap().clone()
}

/// The phase of every event, and what it says of who and where.
async fn told(app: &TestApp) -> Vec<(Value, Value, Value)> {
    let all = json!({"search": {"orderBy": "insertInstant ASC, id ASC"}});
    let path = "/api/system/webhook-event-log/search";
    let found = app.post(path, all).await.ok();
    let facts = |log: &Value| {
        // An official client shows the whole body here, wrapper and all.
        let event = &log["event"]["event"];
        (
            event["phase"].clone(),
            event["actionerUserId"].clone(),
            event["info"]["ipAddress"].clone(),
        )
    };
    let logs = found["webhookEventLogs"].as_array().unwrap();
    logs.iter().map(facts).collect()
}

async fn too_many_wrong_passwords_lock_a_user_out(app: &TestApp) {
    let lock = guarded(app, json!({})).await;
    guess(app, 2).await;
    assert!(actions(app).await.is_empty());
    guess(app, 1).await;
    let logs = actions(app).await;
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0]["userActionId"], lock);
    assert_eq!(logs[0]["expiry"], json!(NOON + 3 * MINUTE));
    assert!(logs[0].get("actionerUserId").is_none());
    let body = json!({"loginId": "rita", "password": "password"});
    let refused = app.post("/api/login", body).await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.body["actions"][0]["actionId"], lock);
    assert!(refused.body["actions"][0].get("actionerUserId").is_none());
    assert_eq!(
        told(app).await,
        [(json!("start"), Value::Null, json!("192.0.2.7"))]
    );
    app.advance(3 * MINUTE);
    assert_eq!(login(app, "password").await, 200);
}

async fn wrong_passwords_are_forgotten(app: &TestApp) {
    guarded(app, json!({})).await;
    guess(app, 2).await;
    assert_eq!(login(app, "password").await, 200);
    guess(app, 2).await;
    assert!(
        actions(app).await.is_empty(),
        "a right one makes up for them"
    );
    app.advance(MINUTE);
    guess(app, 2).await;
    assert!(actions(app).await.is_empty(), "they are too old");
    app.advance(MINUTE / 2);
    guess(app, 1).await;
    assert_eq!(actions(app).await.len(), 1);
    let nobody = json!({"loginId": "nobody", "password": "password"});
    assert_eq!(app.post("/api/login", nobody).await.status, 404);
}

async fn each_further_failure_restarts_the_duration(app: &TestApp) {
    guarded(
        app,
        json!({"actionDuration": 1, "actionDurationUnit": "HOURS"}),
    )
    .await;
    guess(app, 3).await;
    app.advance(MINUTE);
    guess(app, 1).await;
    let logs = actions(app).await;
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0]["expiry"], json!(NOON + 61 * MINUTE));
    let phases: Vec<_> = told(app).await.into_iter().map(|told| told.0).collect();
    assert_eq!(phases, ["start", "modify"]);
    // The right password is refused, and is no failure.
    app.advance(MINUTE);
    assert_eq!(login(app, "password").await, 409);
    assert_eq!(actions(app).await[0]["expiry"], json!(NOON + 61 * MINUTE));
}

/// What is written for a wrong password must not delay its answer, by which a stranger could
/// tell names that somebody has.
async fn a_wrong_password_is_answered_before_it_is_counted(app: &TestApp) {
    guarded(app, json!({})).await;
    let (release, held) = mpsc::channel::<()>();
    let (holding, began) = oneshot::channel();
    let holding = Arc::new(Mutex::new(Some(holding)));
    let held = Arc::new(Mutex::new(held));
    let writer = app.state.write(move |connection| {
        assert!(User::lock(connection, rita())?);
        if let Some(holding) = holding.lock().unwrap().take() {
            holding.send(()).unwrap();
        }
        let _ = held.lock().unwrap().recv();
        Ok(())
    });
    let guesses = async {
        began.await.unwrap();
        for _ in 0..3 {
            assert_eq!(login(app, "wrong").await, 404);
        }
        drop(release);
        // Whoever knows the password waits for what was guessed before.
        assert_eq!(login(app, "password").await, 409);
    };
    let (written, ()) = tokio::join!(writer, guesses);
    written.unwrap();
}

async fn many_guesses_at_once_make_one_lock(app: &TestApp) {
    guarded(app, json!({})).await;
    let guesses = (0..8).map(|_| login(app, "wrong"));
    let answers = futures_util::future::join_all(guesses).await;
    assert!(answers.iter().all(|status| *status == 404), "{answers:?}");
    app.state.failures.are_counted(rita()).await.unwrap();
    assert_eq!(actions(app).await.len(), 1);
}

async fn a_new_password_lifts_the_lock_if_the_tenant_wants_it(app: &TestApp) {
    guarded(app, json!({})).await;
    guess(app, 3).await;
    let set = |password: &str| app.patch(USER, json!({"user": {"password": password}}));
    set("password two").await.ok();
    assert_eq!(login(app, "password two").await, 409);
    let policy = json!({"actionCancelPolicy": {"onPasswordReset": true}});
    let policy = json!({"tenant": {"failedAuthenticationConfiguration": policy}});
    app.patch(&format!("/api/tenant/{}", app.tenant), policy)
        .await
        .ok();
    app.advance(1);
    app.patch(USER, json!({"user": {"firstName": "Rita"}}))
        .await
        .ok();
    assert_eq!(login(app, "password two").await, 409);
    set("password three").await.ok();
    assert_eq!(login(app, "password three").await, 200);
    let logs = actions(app).await;
    assert_eq!(logs[0]["expiry"], json!(NOON + 1));
    assert!(logs[0].get("actionerUserId").is_none());
    let phases: Vec<_> = told(app).await.into_iter().map(|told| told.0).collect();
    assert_eq!(phases, ["start", "cancel"]);
}

async fn the_configuration_names_what_can_lock(app: &TestApp) {
    let lock = guarded(app, json!({})).await;
    let path = format!("/api/tenant/{}", app.tenant);
    let shown = app.get(&path).await.ok()["tenant"]["failedAuthenticationConfiguration"].clone();
    assert_eq!(
        shown,
        json!({
            "actionCancelPolicy": {"onPasswordReset": false}, "actionDuration": 3,
            "actionDurationUnit": "MINUTES", "emailUser": false, "resetCountInSeconds": 60,
            "tooManyAttempts": 3, "userActionId": lock,
        })
    );
    let gift = app
        .post("/api/user-action", json!({"userAction": {"name": "Gift"}}))
        .await
        .ok();
    let configure = |configuration: Value| {
        app.patch(
            &path,
            json!({"tenant": {"failedAuthenticationConfiguration": configuration}}),
        )
    };
    for unfit in [gift["userAction"]["id"].clone(), json!(ID)] {
        assert_eq!(
            configure(json!({ "userActionId": unfit })).await.codes(),
            ["[invalid]tenant.failedAuthenticationConfiguration.userActionId"]
        );
    }
    let wrong = json!({
        "tooManyAttempts": 0, "resetCountInSeconds": -1, "actionDuration": 1e30,
        "actionDurationUnit": "SECONDS", "emailUser": 1,
    });
    assert_eq!(
        configure(wrong).await.codes(),
        [
            "[invalid]tenant.failedAuthenticationConfiguration.actionDuration",
            "[invalidJSON] on tenant.failedAuthenticationConfiguration.actionDurationUnit",
            "[invalidJSON] on tenant.failedAuthenticationConfiguration.emailUser",
            "[invalid]tenant.failedAuthenticationConfiguration.resetCountInSeconds",
            "[invalid]tenant.failedAuthenticationConfiguration.tooManyAttempts",
        ]
    );
    // A definition that is gone locks nobody any more.
    let gone = format!(
        "/api/user-action/{}?hardDelete=true",
        lock.as_str().unwrap()
    );
    app.delete(&gone).await.ok_empty();
    guess(app, 4).await;
    assert_eq!(login(app, "password").await, 200);
}
