//! Promises of `/api/delivery`, and of `/api/webhook/{webhookId}/test`.

use actix_web::http::Method;
use beadle_common::outbox::{
    self, AttemptRecord, AttemptResult, ClaimRequest, DeliveryState, Disposition, Kind, Settlement,
};
use beadle_common::test_support::{claim_request, destination_policy};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::test_support::{NOON, TestApp, both_databases};

const SEARCH: &str = "/api/delivery/search";
const REPLAY: &str = "/api/delivery/replay";
const NOBODY: &str = "0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21";
const DELIVERED: Disposition = Disposition::Finished(DeliveryState::Delivered);
const EXHAUSTED: Disposition = Disposition::Finished(DeliveryState::Exhausted);

both_databases!(
    a_test_goes_to_one_webhook_through_the_outbox,
    a_delivery_is_sent_again_under_its_id,
    what_cannot_be_sent_again_says_why,
    what_was_given_up_is_replayed,
    an_email_tells_whom_it_is_for_and_in_which_language,
    criteria_that_make_no_sense_are_refused,
    what_does_not_exist_is_not_found,
);

async fn add_webhook(app: &TestApp) -> String {
    let webhook = json!({"webhook": {
        "url": "https://receiver.example/hook", "connectTimeout": 1000, "readTimeout": 2000,
    }});
    let made = app.post("/api/webhook", webhook).await.ok();
    made["webhook"]["id"].as_str().unwrap().to_owned()
}

/// A `test` event for it; returns the Id of the delivery.
async fn owe(app: &TestApp, webhook: &str) -> String {
    let path = format!("/api/webhook/{webhook}/test");
    let owed = app.call(Method::POST, &path, None).await.ok();
    owed["delivery"]["id"].as_str().unwrap().to_owned()
}

async fn claim(app: &TestApp, kind: Kind) -> Vec<outbox::Claimed> {
    let now = (app.state.clock)();
    let claimed = app.state.write(move |connection| {
        let request = ClaimRequest {
            owner: "worker-1".to_owned(),
            ..claim_request(kind, now, 10)
        };
        Ok::<_, ApiError>(outbox::claim(connection, &request)?)
    });
    claimed.await.unwrap()
}

/// Tries what is due, as a worker would.
async fn attempt(app: &TestApp, kind: Kind, status: i32, disposition: Disposition) {
    let now = (app.state.clock)();
    let well = disposition == DELIVERED;
    let record = AttemptRecord {
        instant: now,
        duration_millis: 12,
        result: match well {
            true => AttemptResult::Success,
            false => AttemptResult::Failure,
        },
        status_code: Some(status),
        class: (!well).then(|| "http".to_owned()),
        message: (!well).then(|| format!("the receiver answered {status}")),
        response_excerpt: (!well).then(|| "later".to_owned()),
    };
    let settle =
        |claimed: outbox::Claimed| Settlement::of(&claimed, now, Some(record.clone()), disposition);
    let batch: Vec<Settlement> = claim(app, kind).await.into_iter().map(settle).collect();
    let settled = app.state.write(move |connection| {
        Ok::<_, ApiError>(beadle_common::settlement::settle(
            connection,
            &batch,
            &destination_policy(),
        )?)
    });
    settled.await.unwrap();
}

async fn show(app: &TestApp, id: &str) -> Value {
    let found = app.get(&format!("/api/delivery/{id}")).await.ok();
    found["delivery"].clone()
}

async fn resend(app: &TestApp, id: &str) -> crate::test_support::Answered {
    let path = format!("/api/delivery/{id}/resend");
    app.call(Method::POST, &path, None).await
}

async fn a_test_goes_to_one_webhook_through_the_outbox(app: &TestApp) {
    let webhook = add_webhook(app).await;
    add_webhook(app).await;
    let path = format!("/api/webhook/{webhook}/test");
    let owed = app.post(&path, json!({"message": "Hello"})).await.ok();
    let (event, id) = (&owed["delivery"]["eventId"], &owed["delivery"]["id"]);
    let found = app.get(SEARCH).await.ok();
    assert_eq!(
        (&found["total"], &found["deliveries"][0]["id"]),
        (&json!(1), id)
    );
    assert_eq!(
        show(app, id.as_str().unwrap()).await,
        json!({
            "attempt": 0, "attempts": [], "circuit": "Closed", "eventId": event,
            "explanation": "new and due: the next free worker makes attempt 1", "id": id,
            "insertInstant": NOON, "kind": "Webhook", "nextInstant": NOON, "state": "Pending",
            "webhookId": webhook, "webhookUrl": "https://receiver.example",
        })
    );
    let log = format!("/api/system/webhook-event-log/{}", event.as_str().unwrap());
    let log = app.get(&log).await.ok();
    assert_eq!(
        log["webhookEventLog"]["event"],
        json!({"event": {
            "createInstant": NOON, "id": event, "message": "Hello",
            "tenantId": app.tenant, "type": "test",
        }})
    );
    let long = json!({"message": "x".repeat(1001)});
    assert_eq!(app.post(&path, long).await.codes(), ["[tooLong]message"]);
}

async fn a_delivery_is_sent_again_under_its_id(app: &TestApp) {
    let webhook = add_webhook(app).await;
    let id = owe(app, &webhook).await;
    attempt(app, Kind::Webhook, 503, EXHAUSTED).await;
    let given_up = show(app, &id).await;
    assert_eq!(given_up["state"], "Exhausted");
    let failure = json!({
        "class": "http", "message": "the receiver answered 503", "statusCode": 503,
    });
    assert_eq!(given_up["lastError"], failure);
    assert_eq!(
        given_up["attempts"],
        json!([{
            "class": "http", "durationMillis": 12, "instant": NOON,
            "message": "the receiver answered 503", "number": 1, "responseExcerpt": "later",
            "result": "Failure", "statusCode": 503,
        }])
    );
    let log = format!(
        "/api/system/webhook-event-log/{}",
        given_up["eventId"].as_str().unwrap()
    );
    let result = async || app.get(&log).await.ok()["webhookEventLog"]["eventResult"].clone();
    assert_eq!(result().await, "Failed");
    app.advance(1000);
    let again = resend(app, &id).await.ok();
    assert_eq!(again["delivery"]["state"], "Pending");
    assert_eq!(again["delivery"]["nextInstant"], NOON + 1000);
    assert_eq!(result().await, "Running");
    attempt(app, Kind::Webhook, 200, DELIVERED).await;
    let delivered = show(app, &id).await;
    assert_eq!(
        (&delivered["state"], &delivered["attempt"]),
        (&json!("Delivered"), &json!(2))
    );
    assert_eq!(delivered["lastError"], Value::Null);
    assert_eq!(delivered["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(result().await, "Succeeded");
}

async fn what_cannot_be_sent_again_says_why(app: &TestApp) {
    let webhook = add_webhook(app).await;
    let id = owe(app, &webhook).await;
    let claimed = claim(app, Kind::Webhook).await;
    assert_eq!(claimed.len(), 1);
    let leased = show(app, &id).await;
    assert_eq!(
        (&leased["state"], &leased["leaseOwner"]),
        (&json!("Leased"), &json!("worker-1"))
    );
    assert_eq!(leased["leaseEndInstant"], NOON + 60_000);
    let refused = resend(app, &id).await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.body["generalErrors"][0]["code"],
        "[retryableConflict]"
    );
    app.delete(&format!("/api/webhook/{webhook}"))
        .await
        .ok_empty();
    assert_eq!(resend(app, &id).await.codes(), ["[invalid]deliveryId"]);
}

async fn what_was_given_up_is_replayed(app: &TestApp) {
    let (one, two) = (add_webhook(app).await, add_webhook(app).await);
    let ids = [owe(app, &one).await, owe(app, &two).await];
    attempt(app, Kind::Webhook, 500, EXHAUSTED).await;
    let dry = json!({"replay": {"dryRun": true}});
    assert_eq!(
        app.post(REPLAY, dry.clone()).await.ok(),
        json!({"total": 2})
    );
    let of_one = json!({"replay": {"webhookId": one, "states": ["Exhausted", "Delivered"]}});
    assert_eq!(app.post(REPLAY, of_one).await.ok(), json!({"total": 1}));
    assert_eq!(show(app, &ids[0]).await["state"], "Pending");
    assert_eq!(show(app, &ids[1]).await["state"], "Exhausted");
    assert_eq!(app.post(REPLAY, dry).await.ok(), json!({"total": 1}));
    let odd = json!({"replay": {"states": ["Exhausted", "Pending"], "kind": "Pigeon"}});
    assert_eq!(
        app.post(REPLAY, odd).await.codes(),
        ["[invalidJSON] on replay.kind", "[invalid]replay.states[1]"]
    );
    assert_eq!(
        app.post(REPLAY, json!({})).await.codes(),
        ["[missing]replay"]
    );
}

async fn an_email_tells_whom_it_is_for_and_in_which_language(app: &TestApp) {
    let template = json!({"emailTemplate": {
        "name": "Hello", "fromEmail": "news@piedpiper.example", "defaultSubject": "Hello",
        "defaultHtmlTemplate": "<p>Hello</p>", "defaultTextTemplate": "Hello",
        "localizedSubjects": {"de": "Guten Tag"},
    }});
    let template = app.post("/api/email/template", template).await.ok();
    let user = json!({"user": {
        "email": "reader@example.com", "password": "password", "preferredLanguages": ["de_AT", "fr"],
    }});
    let user = app.post("/api/user", user).await.ok();
    let path = format!(
        "/api/email/send/{}",
        template["emailTemplate"]["id"].as_str().unwrap()
    );
    let sent = json!({"userIds": [user["user"]["id"]]});
    assert_eq!(app.post(&path, sent).await.status, 202);
    attempt(app, Kind::Email, 250, DELIVERED).await;
    let query = format!("{SEARCH}?userId={}", user["user"]["id"].as_str().unwrap());
    let found = app.get(&query).await.ok();
    assert_eq!(found["total"], 1);
    let email = &found["deliveries"][0];
    for (member, expected) in [
        ("kind", json!("Email")),
        ("state", json!("Delivered")),
        ("recipient", json!("reader@example.com")),
        ("userId", user["user"]["id"].clone()),
        ("subject", json!("Guten Tag")),
        ("locale", json!("de")),
        ("locales", json!({"subject": "de"})),
        ("preferredLanguages", json!(["de_AT", "fr"])),
        (
            "localeTrail",
            json!({
                "fromName": {"match": "Default"},
                "html": {"match": "Default"},
                "subject": {"locale": "de", "match": "Inherited", "preference": "de_AT"},
                "text": {"match": "Default"},
            }),
        ),
    ] {
        assert_eq!(email[member], expected, "{member}");
    }
    let explanation = email["explanation"].as_str().unwrap();
    assert!(
        explanation.starts_with("accepted by the relay at 2023-07-22T04:26:40Z"),
        "{explanation}"
    );
    let webhooks = app.get(&format!("{SEARCH}?kind=Webhook")).await.ok();
    assert_eq!(webhooks["total"], 0);
}

async fn criteria_that_make_no_sense_are_refused(app: &TestApp) {
    let wrong = json!({"search": {
        "webhookId": "x", "kind": "Pigeon", "state": "Lost", "startRow": 20_000,
        "orderBy": "state", "start": "yesterday",
    }});
    assert_eq!(
        app.post(SEARCH, wrong).await.codes(),
        [
            "[invalidJSON] on search.kind",
            "[invalid]search.orderBy",
            "[invalidJSON] on search.start",
            "[invalid]search.startRow",
            "[invalidJSON] on search.state",
            "[invalidJSON] on search.webhookId",
        ]
    );
}

async fn what_does_not_exist_is_not_found(app: &TestApp) {
    let path = format!("/api/delivery/{NOBODY}");
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(resend(app, NOBODY).await.status, 404);
    assert_eq!(
        app.get("/api/delivery/7").await.codes(),
        ["[couldNotConvert]deliveryId"]
    );
    assert_eq!(
        app.get("/api/delivery").await.codes(),
        ["[missing]deliveryId"]
    );
    let test = format!("/api/webhook/{NOBODY}/test");
    assert_eq!(app.call(Method::POST, &test, None).await.status, 404);
}
