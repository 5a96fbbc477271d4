//! Promises of `/api/system/webhook-event-log` and `/api/system/webhook-attempt-log`.

use beadle_common::outbox::{
    self, AttemptRecord, AttemptResult, DeliveryState, Disposition, Kind, Settlement,
};
use beadle_common::test_support::{claim_request, destination_policy};
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::test_support::{NOON, TestApp, both_databases};

const SEARCH: &str = "/api/system/webhook-event-log/search";
const NOBODY: &str = "0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21";

both_databases!(
    an_event_is_told_with_every_attempt,
    events_of_the_last_hour_are_searched,
    criteria_that_make_no_sense_are_refused,
    what_does_not_exist_is_not_found,
);

/// A webhook, and what it takes to raise events for it.
async fn prepare(app: &TestApp) -> (Value, Value) {
    let webhook = json!({"webhook": {
        "url": "https://receiver.example/hook", "connectTimeout": 1000, "readTimeout": 2000,
        "global": true, "eventsEnabled": {"user.action": true},
    }});
    let webhook = app.post("/api/webhook", webhook).await.ok();
    let user = json!({"user": {"email": "reader@example.com", "password": "password"}});
    let user = app.post("/api/user", user).await.ok();
    (webhook["webhook"]["id"].clone(), user["user"]["id"].clone())
}

async fn raise(app: &TestApp, user: &Value, name: &str) -> Value {
    let action = json!({"userAction": {"name": name}});
    let action = app.post("/api/user-action", action).await.ok();
    let taken = json!({
        "action": {"actioneeUserId": user, "actionerUserId": user, "userActionId": action["userAction"]["id"]},
        "broadcast": true,
    });
    let taken = app.post("/api/user/action", taken).await.ok();
    taken["action"]["event"].clone()
}

/// Tries what is due, as a worker would.
async fn attempt(app: &TestApp, status: Option<i32>, disposition: Disposition) {
    let now = (app.state.clock)();
    let tried = app.state.write(move |connection| {
        let request = claim_request(Kind::Webhook, now, 10);
        let claimed = outbox::claim(connection, &request)?;
        let well = status == Some(200);
        let record = AttemptRecord {
            instant: now,
            duration_millis: 12,
            result: match well {
                true => AttemptResult::Success,
                false => AttemptResult::Failure,
            },
            status_code: status,
            class: (!well).then(|| "connect".to_owned()),
            message: (!well).then(|| "connection refused".to_owned()),
            response_excerpt: None,
        };
        let settle = |claimed: outbox::Claimed| {
            Settlement::of(&claimed, now, Some(record.clone()), disposition)
        };
        let batch: Vec<Settlement> = claimed.into_iter().map(settle).collect();
        beadle_common::settlement::settle(connection, &batch, &destination_policy())?;
        Ok::<_, ApiError>(())
    });
    tried.await.unwrap();
}

const DELIVERED: Disposition = Disposition::Finished(DeliveryState::Delivered);
const EXHAUSTED: Disposition = Disposition::Finished(DeliveryState::Exhausted);

async fn an_event_is_told_with_every_attempt(app: &TestApp) {
    let (webhook, user) = prepare(app).await;
    let event = raise(app, &user, "Praise").await;
    let path = format!(
        "/api/system/webhook-event-log/{}",
        event["id"].as_str().unwrap()
    );
    let mut expected = json!({
        "attempts": [], "data": {}, "event": {"event": event}, "eventResult": "Running",
        "eventType": "user.action", "failedAttempts": 0, "id": event["id"],
        "insertInstant": NOON, "lastUpdateInstant": NOON, "linkedObjectId": user,
        "sequence": 1, "successfulAttempts": 0,
    });
    assert_eq!(
        app.get(&path).await.ok(),
        json!({"webhookEventLog": expected})
    );

    let later = UnixMillis::from_millis(NOON + 1000);
    attempt(app, None, Disposition::Retry { at: later }).await;
    app.advance(1000);
    attempt(app, Some(200), DELIVERED).await;
    let found = app.get(&path).await.ok();
    let attempts = found["webhookEventLog"]["attempts"].as_array().unwrap();
    let (first, second) = (&attempts[0]["id"], &attempts[1]["id"]);
    assert_ne!(first, second);
    let url = "https://receiver.example/hook";
    expected["attempts"] = json!([
        {"attemptResult": "Failure", "data": {}, "endInstant": NOON + 12, "id": first,
            "startInstant": NOON, "webhookId": webhook, "webhookCallResponse":
            {"exception": "connect: connection refused", "url": url}},
        {"attemptResult": "Success", "data": {}, "endInstant": NOON + 1012, "id": second,
            "startInstant": NOON + 1000, "webhookId": webhook,
            "webhookCallResponse": {"statusCode": 200, "url": url}},
    ]);
    for (member, value) in [
        ("eventResult", json!("Succeeded")),
        ("failedAttempts", json!(1)),
        ("successfulAttempts", json!(1)),
        ("lastAttemptInstant", json!(NOON + 1000)),
        ("lastUpdateInstant", json!(NOON + 1012)),
    ] {
        expected[member] = value;
    }
    assert_eq!(found["webhookEventLog"], expected);
    for attempt in expected["attempts"].as_array().unwrap() {
        let id = attempt["id"].as_str().unwrap();
        let path = format!("/api/system/webhook-attempt-log/{id}");
        let mut alone = attempt.clone();
        alone["webhookEventLogId"] = event["id"].clone();
        assert_eq!(
            app.get(&path).await.ok(),
            json!({"webhookAttemptLog": alone})
        );
    }
}

fn names(found: &Value) -> Vec<&str> {
    let logs = found["webhookEventLogs"].as_array().unwrap();
    logs.iter()
        .filter_map(|log| log["event"]["event"]["action"].as_str())
        .collect()
}

async fn events_of_the_last_hour_are_searched(app: &TestApp) {
    let (_, user) = prepare(app).await;
    raise(app, &user, "Praise").await;
    attempt(app, Some(200), DELIVERED).await;
    app.advance(1000);
    raise(app, &user, "Ban").await;
    attempt(app, Some(500), EXHAUSTED).await;
    app.advance(1000);
    raise(app, &user, "Bless").await;
    for (query, expected) in [
        ("", vec!["Bless", "Ban", "Praise"]),
        ("?event=%22BAN%22&orderBy=undefined", vec!["Ban"]),
        ("?eventResult=Succeeded", vec!["Praise"]),
        ("?eventResult=Failed", vec!["Ban"]),
        ("?eventResult=Running&eventType=user.action", vec!["Bless"]),
        ("?eventType=test", vec![]),
        ("?orderBy=sequence&numberOfResults=2", vec!["Praise", "Ban"]),
        ("?orderBy=eventResult", vec!["Ban", "Bless", "Praise"]),
        (
            "?orderBy=lastAttemptInstant%20DESC",
            vec!["Ban", "Praise", "Bless"],
        ),
        ("?startRow=2&numberOfResults=true", vec!["Praise"]),
    ] {
        let found = app.get(&format!("{SEARCH}{query}")).await.ok();
        assert_eq!(names(&found), expected, "{query}");
    }
    let search = json!({"search": {"start": NOON, "end": NOON + 1000}});
    let found = app.post(SEARCH, search.clone()).await.ok();
    assert_eq!(
        (names(&found), &found["total"]),
        (vec!["Ban", "Praise"], &json!(2))
    );
    app.advance(61 * 60 * 1000);
    assert_eq!(
        app.get(SEARCH).await.ok(),
        json!({"total": 0, "webhookEventLogs": []})
    );
    assert_eq!(app.post(SEARCH, search).await.ok()["total"], 2);
}

async fn criteria_that_make_no_sense_are_refused(app: &TestApp) {
    let wrong = json!({"search": {
        "eventResult": "Done", "eventType": "user.actions", "orderBy": "attempts", "end": "x",
        "numberOfResults": "many",
    }});
    assert_eq!(
        app.post(SEARCH, wrong).await.codes(),
        [
            "[invalidJSON] on search.end",
            "[invalidJSON] on search.eventResult",
            "[invalidJSON] on search.eventType",
            "[invalidJSON] on search.numberOfResults",
            "[invalid]search.orderBy",
        ]
    );
    assert_eq!(app.post(SEARCH, json!([])).await.status, 400);
}

async fn what_does_not_exist_is_not_found(app: &TestApp) {
    for (noun, id) in [
        ("webhook-event-log", "webhookEventLogId"),
        ("webhook-attempt-log", "webhookAttemptLogId"),
    ] {
        let path = format!("/api/system/{noun}");
        assert_eq!(app.get(&format!("{path}/{NOBODY}")).await.status, 404);
        assert_eq!(
            app.get(&format!("{path}/7")).await.codes(),
            [format!("[couldNotConvert]{id}")]
        );
        assert_eq!(app.get(&path).await.codes(), [format!("[missing]{id}")]);
        assert_eq!(app.post(&path, json!({})).await.status, 405);
    }
}
