//! Webhooks that have a say in what happens: an action is taken, changed or canceled if
//! enough of them agree, and leaves no trace but in their log if not.

use std::time::{Duration, Instant};

use beadle_tests::{Answer, Client, Receiver, Reply, TestApp, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use crate::scene::{HOUR, SOON, now, number, subscription, text, user};

beadle_tests::both_backends!(
    each_type_has_its_own_majority,
    what_is_refused_leaves_its_trace_in_the_log_only,
    whoever_failed_in_a_satisfied_transaction_is_tried_again,
    those_who_hang_cost_their_time_limit_once,
    an_address_that_is_not_allowed_has_not_agreed,
    a_change_and_a_cancellation_are_asked_about_too,
    an_action_that_was_changed_meanwhile_is_a_conflict,
    nothing_is_locked_while_receivers_think,
    a_caller_that_hangs_up_changes_nothing_of_the_outcome,
    a_repeated_request_is_not_asked_about_again,
);

/// Two users and an action that mails, with webhooks that must agree to it.
struct Council {
    definition: String,
    actioner: String,
    actionee: String,
    receivers: Vec<Receiver>,
}

impl Council {
    async fn of(app: &TestApp, members: usize, transaction_type: &str) -> Self {
        let mut receivers = Vec::new();
        for _ in 0..members {
            let receiver = Receiver::start().await;
            let secret = register(app, &receiver.url()).await;
            receiver.verify_with(&secret);
            receivers.push(receiver);
        }
        let council = Self {
            definition: subscription(&app.client).await,
            actioner: user(&app.client, "Richard", &[]).await,
            actionee: user(&app.client, "Gilfoyle", &["de"]).await,
            receivers,
        };
        council.decides_by(&app.client, transaction_type).await;
        council
    }

    async fn decides_by(&self, client: &Client, transaction_type: &str) {
        let change = json!({"userAction": {"transactionType": transaction_type}});
        let path = format!("/api/user-action/{}", self.definition);
        client.patch(&path, &change).await.ok();
    }

    fn request(&self) -> Value {
        json!({"broadcast": true, "action": {
            "userActionId": self.definition,
            "actionerUserId": self.actioner,
            "actioneeUserId": self.actionee,
            "emailUser": true,
            "expiry": now() + HOUR,
        }})
    }

    async fn take(&self, client: &Client) -> Reply {
        client.post("/api/user/action", &self.request()).await
    }

    /// So many of them agree from now on, the others do not.
    fn let_agree(&self, agreeing: usize) {
        for (place, receiver) in self.receivers.iter().enumerate() {
            let status = if place < agreeing { 200 } else { 500 };
            receiver.always(Answer::status(status));
        }
    }

    async fn actions(&self, client: &Client) -> usize {
        let path = format!("/api/user/action?userId={}", self.actionee);
        let answer = client.get(&path).await.ok();
        answer["actions"].as_array().unwrap().len()
    }
}

/// A global webhook, and its secret.
async fn register(app: &TestApp, url: &str) -> String {
    let webhook = json!({"webhook": {
        "url": url,
        "connectTimeout": 1000,
        "readTimeout": 20_000,
        "global": true,
        "eventsEnabled": {"user.action": true},
    }});
    let answer = app.client.post("/api/webhook", &webhook).await.ok();
    text(&answer, "/webhook/signingSecret").to_owned()
}

#[track_caller]
fn must_fail(reply: &Reply) {
    assert_eq!(reply.status, 504, "{}", reply.text());
    assert_eq!(reply.error_codes(), ["[WebhookTransactionException]"]);
}

/// Everything in the webhook event log that came out like this.
async fn logged(client: &Client, result: &str) -> Vec<Value> {
    let search = json!({"search": {"eventResult": result, "orderBy": "sequence ASC"}});
    let path = "/api/system/webhook-event-log/search";
    let found = client.post(path, &search).await.ok();
    found["webhookEventLogs"].as_array().unwrap().clone()
}

async fn each_type_has_its_own_majority(db: TestDatabase) {
    let app = TestApp::builder(db).workers(0).start().await;
    let council = Council::of(&app, 3, "None").await;
    for (kind, enough) in [
        ("Any", 1),
        ("SimpleMajority", 2),
        ("SuperMajority", 2),
        ("AbsoluteMajority", 3),
    ] {
        council.decides_by(&app.client, kind).await;
        council.let_agree(enough - 1);
        must_fail(&council.take(&app.client).await);
        council.let_agree(enough);
        council.take(&app.client).await.ok();
    }
    assert_eq!(council.actions(&app.client).await, 4);
    // Without a type nobody is waited for.
    council.let_agree(0);
    council.decides_by(&app.client, "None").await;
    council.take(&app.client).await.ok();
    assert_eq!(council.receivers[0].received().len(), 8);
}

async fn what_is_refused_leaves_its_trace_in_the_log_only(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let council = Council::of(&app, 2, "AbsoluteMajority").await;
    council.let_agree(1);
    let mut before = app.db.row_counts();
    must_fail(&council.take(&app.client).await);

    let after = app.db.row_counts();
    // One event, and how both of the receivers took it.
    before.insert("events".to_owned(), 1);
    before.insert("deliveries".to_owned(), 2);
    // That one of them has failed, whatever it was about.
    before.insert("destination_states".to_owned(), 1);
    assert_eq!(after, before);
    let failed = logged(&app.client, "Failed").await;
    assert_eq!(failed.len(), 1);
    assert_eq!(number(&failed[0], "/successfulAttempts"), 1);
    assert_eq!(number(&failed[0], "/failedAttempts"), 1);
    let sent = council.receivers[0].received().remove(0);
    assert_eq!(failed[0]["event"]["event"], sent.event());
    // Nobody is tried again, or mailed.
    council.let_agree(2);
    for receiver in &council.receivers {
        receiver.expect_quiet(Duration::from_secs(1)).await;
    }
    assert_eq!(app.mail.mails().len(), 0);
    assert_eq!(app.db.row_counts(), after);
}

async fn whoever_failed_in_a_satisfied_transaction_is_tried_again(db: TestDatabase) {
    let app = TestApp::builder(db)
        .set("BEADLE_RETRY_SCHEDULE", "0s,100ms,100ms,100ms")
        .start()
        .await;
    let council = Council::of(&app, 2, "Any").await;
    council.receivers[1].script([Answer::status(500), Answer::status(500)]);
    let taken = council.take(&app.client).await.ok();
    let event = text(&taken, "/action/event/id").to_owned();
    // Whoever has agreed had it before the answer came, and is left in peace.
    assert_eq!(council.receivers[0].received().len(), 1);

    let attempts = council.receivers[1].wait_for(3, SOON).await;
    for attempt in &attempts {
        assert_eq!(attempt.id(), event);
        assert_eq!(attempt.body, attempts[0].body);
    }
    council.receivers[1]
        .expect_quiet(Duration::from_secs(1))
        .await;
    assert_eq!(council.receivers[0].received().len(), 1);
    app.mail.wait_for(1, SOON).await;
    let log = logged(&app.client, "Succeeded").await.remove(0);
    assert_eq!(text(&log, "/event/event/id"), event);
    assert_eq!(number(&log, "/successfulAttempts"), 2);
    assert_eq!(number(&log, "/failedAttempts"), 2);
}

async fn those_who_hang_cost_their_time_limit_once(db: TestDatabase) {
    const LIMIT: Duration = Duration::from_secs(3);
    let app = TestApp::builder(db)
        .workers(0)
        .set("BEADLE_REQUEST_DEADLINE", "3s")
        .start()
        .await;
    let council = Council::of(&app, 12, "Any").await;
    for receiver in &council.receivers {
        receiver.always(Answer::hang());
    }
    let started = Instant::now();
    must_fail(&council.take(&app.client).await);
    let took = started.elapsed();
    // One after the other they would need 36 seconds.
    assert!(took >= LIMIT && took < 6 * LIMIT, "{took:?}");
    let failed = logged(&app.client, "Failed").await.remove(0);
    assert_eq!(number(&failed, "/failedAttempts"), 12);
}

async fn an_address_that_is_not_allowed_has_not_agreed(db: TestDatabase) {
    let app = TestApp::builder(db)
        .workers(0)
        .unset("BEADLE_WEBHOOK_ALLOW")
        .start()
        .await;
    let council = Council::of(&app, 1, "AbsoluteMajority").await;
    must_fail(&council.take(&app.client).await);
    assert_eq!(council.receivers[0].received().len(), 0);
    let log = logged(&app.client, "Failed").await.remove(0);
    let exception = text(&log, "/attempts/0/webhookCallResponse/exception");
    assert!(exception.starts_with("blocked"), "{exception}");
}

async fn a_change_and_a_cancellation_are_asked_about_too(db: TestDatabase) {
    let app = TestApp::builder(db).workers(0).start().await;
    let council = Council::of(&app, 1, "AbsoluteMajority").await;
    let taken = council.take(&app.client).await.ok();
    let path = format!("/api/user/action/{}", text(&taken, "/action/id"));
    let mut change = json!({"broadcast": true, "action": {
        "actionerUserId": council.actioner, "comment": "second", "expiry": now() + 2 * HOUR,
    }});
    let before = app.client.get(&path).await.ok();

    council.let_agree(0);
    must_fail(&app.client.put(&path, &change).await);
    must_fail(&app.client.send(Method::DELETE, &path, Some(&change)).await);
    assert_eq!(app.client.get(&path).await.ok(), before);
    // What raises no event needs no consent.
    change["broadcast"] = false.into();
    app.client.put(&path, &change).await.ok();

    change["broadcast"] = true.into();
    council.let_agree(1);
    app.client.put(&path, &change).await.ok();
    let canceled = app.client.send(Method::DELETE, &path, Some(&change)).await;
    assert!(number(&canceled.ok(), "/action/expiry") <= now());
    let phases: Vec<String> = council.receivers[0]
        .received()
        .iter()
        .map(|request| text(&request.event(), "/phase").to_owned())
        .collect();
    assert_eq!(phases, ["start", "modify", "cancel", "modify", "cancel"]);
}

async fn an_action_that_was_changed_meanwhile_is_a_conflict(db: TestDatabase) {
    let app = TestApp::builder(db).workers(0).start().await;
    let council = Council::of(&app, 1, "Any").await;
    let taken = council.take(&app.client).await.ok();
    let path = format!("/api/user/action/{}", text(&taken, "/action/id"));
    let change = |broadcast: bool, comment: &str| {
        json!({"broadcast": broadcast, "action": {
            "actionerUserId": council.actioner, "comment": comment, "expiry": now() + 2 * HOUR,
        }})
    };
    let thinking = Answer::status(200).after(Duration::from_secs(3));
    council.receivers[0].always(thinking);
    let (asked, quiet) = (change(true, "asked"), change(false, "quiet"));
    let (late, ()) = tokio::join!(app.client.put(&path, &asked), async {
        council.receivers[0].wait_for(2, SOON).await;
        app.client.put(&path, &quiet).await.ok();
    });
    late.must_be(409);
    assert_eq!(late.error_codes(), ["[retryableConflict]"]);
    // The receiver was asked once, and its yes is on record with an event that failed.
    assert_eq!(council.receivers[0].received().len(), 2);
    let log = logged(&app.client, "Failed").await.remove(0);
    assert_eq!(number(&log, "/successfulAttempts"), 1);
    let found = app.client.get(&path).await.ok();
    assert_eq!(text(&found, "/action/comment"), "quiet");
}

async fn nothing_is_locked_while_receivers_think(db: TestDatabase) {
    let app = TestApp::builder(db).workers(0).start().await;
    let council = Council::of(&app, 1, "Any").await;
    let thinking = Answer::status(200).after(Duration::from_secs(5));
    council.receivers[0].always(thinking);
    let (taken, ()) = tokio::join!(council.take(&app.client), async {
        council.receivers[0].wait_for(1, SOON).await;
        // Other writes go through, past this process too.
        user(&app.client, "Dinesh", &[]).await;
        app.db
            .execute("UPDATE tenants SET name = name; UPDATE users SET active = active");
        assert_eq!(council.actions(&app.client).await, 0);
    });
    taken.ok();
    assert_eq!(council.actions(&app.client).await, 1);
}

async fn a_caller_that_hangs_up_changes_nothing_of_the_outcome(db: TestDatabase) {
    let app = TestApp::builder(db).workers(0).start().await;
    let council = Council::of(&app, 1, "AbsoluteMajority").await;
    let thinking = Answer::status(200).after(Duration::from_secs(1));
    council.receivers[0].always(thinking);
    tokio::select! {
        _ = council.take(&app.client) => panic!("answered before the receiver was"),
        _ = council.receivers[0].wait_for(1, SOON) => {}
    }
    let deadline = Instant::now() + SOON;
    while council.actions(&app.client).await == 0 {
        assert!(
            Instant::now() < deadline,
            "the action was lost with its caller"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn a_repeated_request_is_not_asked_about_again(db: TestDatabase) {
    let app = TestApp::builder(db).workers(0).start().await;
    let council = Council::of(&app, 1, "AbsoluteMajority").await;
    let client = app.client.with("Idempotency-Key", "once");
    let request = council.request();
    let take = || client.post("/api/user/action", &request);
    council.let_agree(0);
    // A refusal is not kept: the next time it may go well.
    must_fail(&take().await);
    council.let_agree(1);
    let taken = take().await.ok();
    assert_eq!(take().await.ok(), taken);
    assert_eq!(council.receivers[0].received().len(), 2);
    assert_eq!(council.actions(&app.client).await, 1);
}
