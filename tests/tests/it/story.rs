//! The main job, as a client, a receiver and a user live it.

use beadle_tests::receiver::Received;
use beadle_tests::{TestApp, TestDatabase};
use serde_json::{Value, json};

use crate::scene::{HOUR, SOON, number, reason, register_webhook, subscription};
use crate::scene::{now, taking, text, user};

beadle_tests::both_backends!(
    a_subscription_is_told_from_start_to_cancellation,
    an_expired_action_ends_once,
    everybody_is_written_to_in_their_own_language,
    a_failed_webhook_is_tried_again_with_the_same_id,
    nothing_is_sent_that_nobody_asked_for,
);

/// Takes an action that mails the user, and returns the answer's `action`.
async fn subscribe(app: &TestApp, definition: &str, people: (&str, &str), expiry: i64) -> Value {
    let mut request = taking(definition, people.0, people.1);
    request["action"]["reasonId"] = reason(&app.client).await.into();
    request["action"]["comment"] = "Paid for the news".into();
    request["action"]["emailUser"] = true.into();
    request["action"]["expiry"] = expiry.into();
    app.client.post("/api/user/action", &request).await.ok()["action"].clone()
}

fn phase(request: &Received) -> String {
    text(&request.event(), "/phase").to_owned()
}

async fn a_subscription_is_told_from_start_to_cancellation(db: TestDatabase) {
    let app = TestApp::start(db).await;
    register_webhook(&app).await;
    let definition = subscription(&app.client).await;
    let richard = user(&app.client, "Richard", &["en"]).await;
    let gilfoyle = user(&app.client, "Gilfoyle", &["de_CH", "fr"]).await;
    let expiry = now() + 48 * HOUR;

    let action = subscribe(&app, &definition, (&richard, &gilfoyle), expiry).await;
    assert_eq!(text(&action, "/name"), "Subscribe");
    assert_eq!(text(&action, "/localizedName"), "Abonnement");
    assert_eq!(text(&action, "/localizedReason"), "Bezahltes Abonnement");
    assert_eq!(number(&action, "/expiry"), expiry);
    assert_eq!(action["endEventSent"], false);
    assert!(action.get("history").is_none(), "{action:#}");

    let delivered = app.receiver.wait_for(1, SOON).await;
    check_start(&delivered[0], &action, &gilfoyle);
    let mail = &app.mail.wait_for(1, SOON).await[0];
    assert_eq!(mail.from, "news@piedpiper.example");
    assert_eq!(mail.to, ["gilfoyle@piedpiper.example"]);
    assert_eq!(mail.subject(), "Gilfoyle: Abonnement willkommen");
    assert_eq!(mail.text().trim(), "Gilfoyle: Abonnement willkommen");
    assert_eq!(mail.html().trim(), "<p>Gilfoyle: Abonnement willkommen</p>");

    let log = format!("/api/user/action/{}", text(&action, "/id"));
    modify(&app, &log, &richard, expiry).await;
    cancel(&app, &log, &richard).await;
    let events = app.receiver.received();
    let mut phases: Vec<String> = events.iter().map(phase).collect();
    phases.sort();
    assert_eq!(phases, ["cancel", "modify", "start"]);
    assert_eq!(app.receiver.duplicates().len(), 0);
}

/// The event says what the answer said, byte for byte the same one.
fn check_start(request: &Received, action: &Value, actionee: &str) {
    let event = request.event();
    assert_eq!(request.verified, Some(Ok(())));
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("content-type"), Some("application/json"));
    let agent = request.header("user-agent").unwrap_or_default();
    assert!(agent.starts_with("Beadle/"), "{agent}");
    assert_eq!(request.id(), text(&event, "/id"));
    assert_eq!(&event, &action["event"]);
    assert_eq!(text(&event, "/type"), "user.action");
    assert_eq!(text(&event, "/phase"), "start");
    assert_eq!(text(&event, "/action"), "Subscribe");
    assert_eq!(text(&event, "/localizedAction"), "Abonnement");
    assert_eq!(text(&event, "/actionId"), text(action, "/id"));
    assert_eq!(text(&event, "/actioneeUserId"), actionee);
    assert_eq!(text(&event, "/linkedObjectId"), actionee);
    assert_eq!(text(&event, "/reasonCode"), "PS");
    assert_eq!(text(&event, "/comment"), "Paid for the news");
    assert_eq!(event["emailedUser"], true);
    assert_eq!(
        text(&event, "/email/subject"),
        "Gilfoyle: Abonnement willkommen"
    );
    let to = text(&event, "/email/to/0/address");
    assert_eq!(to, "gilfoyle@piedpiper.example");
}

async fn modify(app: &TestApp, log: &str, actioner: &str, first_expiry: i64) {
    let expiry = first_expiry + HOUR;
    let request = json!({"broadcast": true, "action": {
        "actionerUserId": actioner,
        "comment": "One hour more",
        "emailUser": true,
        "expiry": expiry,
    }});
    let action = app.client.put(log, &request).await.ok()["action"].clone();
    assert_eq!(number(&action, "/expiry"), expiry);
    assert_eq!(text(&action, "/comment"), "One hour more");
    let replaced = &action["history"]["historyItems"][0];
    assert_eq!(number(replaced, "/expiry"), first_expiry);
    assert_eq!(text(replaced, "/comment"), "Paid for the news");

    app.receiver.wait_for(2, SOON).await;
    let mails = app.mail.wait_for(2, SOON).await;
    assert_eq!(mails[1].subject(), "Gilfoyle: Abonnement geändert");
}

async fn cancel(app: &TestApp, log: &str, actioner: &str) {
    let request = json!({"broadcast": true, "action": {
        "actionerUserId": actioner,
        "comment": "No longer wanted",
        "emailUser": true,
    }});
    let delete = hyper::Method::DELETE;
    let answer = app.client.send(delete.clone(), log, Some(&request)).await;
    let action = answer.ok()["action"].clone();
    assert!(number(&action, "/expiry") <= now(), "{action:#}");
    assert_eq!(action["endEventSent"], false);
    let items = action["history"]["historyItems"].as_array();
    assert_eq!(items.map(Vec::len), Some(2), "{action:#}");

    app.receiver.wait_for(3, SOON).await;
    let mails = app.mail.wait_for(3, SOON).await;
    assert_eq!(mails[2].subject(), "Gilfoyle: Abonnement gekündigt");

    let again = app.client.send(delete, log, Some(&request)).await;
    again.must_be(400);
    assert_eq!(again.error_codes(), ["[invalid]actionId"]);
}

async fn an_expired_action_ends_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    register_webhook(&app).await;
    let definition = subscription(&app.client).await;
    let richard = user(&app.client, "Richard", &[]).await;
    let monica = user(&app.client, "Monica", &["fr"]).await;

    let action = subscribe(&app, &definition, (&richard, &monica), now() + 1_500).await;
    let delivered = app.receiver.wait_for(2, SOON).await;
    let end = delivered.iter().find(|request| phase(request) == "end");
    let end = end.expect("one of the two is the end").event();
    assert_eq!(text(&end, "/actionId"), text(&action, "/id"));
    assert_eq!(text(&end, "/comment"), "Paid for the news");

    let mails = app.mail.wait_for(2, SOON).await;
    let last = "Monica: Abonnement mensuel terminé";
    assert!(mails.iter().any(|mail| mail.subject() == last));
    app.receiver
        .expect_quiet(std::time::Duration::from_secs(3))
        .await;

    let log = format!("/api/user/action/{}", text(&action, "/id"));
    let ended = app.client.get(&log).await.ok();
    assert_eq!(ended["action"]["endEventSent"], true, "{ended:#}");
}

async fn everybody_is_written_to_in_their_own_language(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let definition = subscription(&app.client).await;
    let richard = user(&app.client, "Richard", &["de"]).await;
    let readers: [(&str, &[&str], &str); 4] = [
        // There is no text that is marked as English, so the next language is it.
        ("Dinesh", &["en", "de"], "Dinesh: Abonnement willkommen"),
        ("Jared", &["de_AT"], "Jared: Abonnement willkommen"),
        (
            "Monica",
            &["eo", "fr"],
            "Monica: Abonnement mensuel bienvenue",
        ),
        // No language of theirs is there: the default, and never a raw key.
        ("Jian", &["zh_TW"], "Jian: Subscribe welcome"),
    ];
    for (name, languages, _) in readers {
        let reader = user(&app.client, name, languages).await;
        let mut request = taking(&definition, &richard, &reader);
        request["action"]["emailUser"] = true.into();
        request["action"]["expiry"] = i64::MAX.into();
        let answer = app.client.post("/api/user/action", &request).await.ok();
        assert_eq!(number(&answer, "/action/expiry"), i64::MAX);
    }
    let mails = app.mail.wait_for(readers.len(), SOON).await;
    let mut subjects: Vec<String> = mails.iter().map(|mail| mail.subject()).collect();
    let mut expected = readers.map(|(_, _, subject)| subject.to_owned());
    subjects.sort();
    expected.sort();
    assert_eq!(subjects, expected);
}

async fn a_failed_webhook_is_tried_again_with_the_same_id(db: TestDatabase) {
    use beadle_tests::{Answer, Moment, Trouble};
    let app = TestApp::builder(db)
        .set("BEADLE_RETRY_SCHEDULE", "0s,200ms,200ms,200ms")
        .set("BEADLE_MAIL_RETRY_SCHEDULE", "0s,200ms,200ms")
        .start()
        .await;
    register_webhook(&app).await;
    app.receiver.script([
        Answer::status(500),
        Answer::close(),
        Answer::status(302).header("location", &app.receiver.url()),
    ]);
    let busy = Trouble::Refuse("451 4.3.2 try later".to_owned());
    app.mail.make(busy, Moment::Message, 1);
    let definition = subscription(&app.client).await;
    let richard = user(&app.client, "Richard", &[]).await;
    let gilfoyle = user(&app.client, "Gilfoyle", &[]).await;
    subscribe(&app, &definition, (&richard, &gilfoyle), i64::MAX).await;

    let attempts = app.receiver.wait_for(4, SOON).await;
    for attempt in &attempts {
        assert_eq!(attempt.id(), attempts[0].id());
        assert_eq!(attempt.body, attempts[0].body);
    }
    app.mail.wait_for(1, SOON).await;
    let quiet = std::time::Duration::from_secs(2);
    app.receiver.expect_quiet(quiet).await;
    assert_eq!(app.mail.mails().len(), 1);
}

async fn nothing_is_sent_that_nobody_asked_for(db: TestDatabase) {
    let app = TestApp::start(db).await;
    register_webhook(&app).await;
    let definition = subscription(&app.client).await;
    let richard = user(&app.client, "Richard", &[]).await;
    let gilfoyle = user(&app.client, "Gilfoyle", &[]).await;
    let mut request = taking(&definition, &richard, &gilfoyle);
    request["broadcast"] = false.into();
    request["action"]["expiry"] = i64::MAX.into();
    let answer = app.client.post("/api/user/action", &request).await.ok();
    assert!(answer["action"].get("event").is_none(), "{answer:#}");

    let quiet = std::time::Duration::from_secs(2);
    app.receiver.expect_quiet(quiet).await;
    assert_eq!(app.mail.mails().len(), 0);
}
