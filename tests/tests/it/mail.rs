//! Mail under bad conditions: workers that die with it in hand, servers that hang.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use beadle_tests::mail_server::Mail;
use beadle_tests::{Client, MailServer, Moment, TestApp, TestDatabase, Trouble};
use serde_json::{Value, json};

use crate::scene::{SOON, number, template, text, user};

beadle_tests::both_backends!(
    mail_accepted_by_the_server_of_a_killed_worker_comes_once_more_and_none_is_lost,
    a_mail_server_that_hangs_delays_no_other_tenant,
    a_delivery_tells_what_the_mail_server_has_against_it,
);

/// Mails a user so many times; `client` sees the user's tenant.
async fn send(client: &Client, template: &str, user: &str, times: usize) {
    let path = format!("/api/email/send/{template}");
    for _ in 0..times {
        let body = json!({"userIds": [user]});
        client.post(&path, &body).await.must_be(202);
    }
}

async fn mail_accepted_by_the_server_of_a_killed_worker_comes_once_more_and_none_is_lost(
    db: TestDatabase,
) {
    const MAILS: usize = 6;
    // So many are accepted and not settled when the worker dies; the others wait.
    const AT_ONCE: usize = 4;
    // The shortest lease that these deadlines permit: the dead worker's claims lapse soon.
    let mut app = TestApp::builder(db)
        .workers(0)
        .set("BEADLE_MAIL_CONCURRENCY", &AT_ONCE.to_string())
        .set("BEADLE_REQUEST_DEADLINE", "5s")
        .set("BEADLE_MAIL_DEADLINE", "5s")
        .set("BEADLE_LEASE", "16s")
        .start()
        .await;
    let letter = template(&app.client, "start").await;
    let reader = user(&app.client, "Gilfoyle", &["de"]).await;
    send(&app.client, &letter, &reader, MAILS).await;
    app.mail
        .make(Trouble::KeepAndHold, Moment::Message, AT_ONCE);
    app.start_worker();
    app.mail.wait_for(AT_ONCE, SOON).await;

    // The server says 250 while nothing can be settled, and the worker dies with that.
    let lock = app.db.lock_outbox();
    app.mail.release(AT_ONCE, SOON).await;
    app.worker(0).kill();
    drop(lock);
    let accepted = app.mail.mails();
    assert_eq!(accepted.len(), AT_ONCE);

    app.start_worker();
    app.mail.wait_for(MAILS + AT_ONCE, SOON * 2).await;
    let deadline = Instant::now() + SOON;
    while app.db.number("SELECT count(*) FROM outbox") > 0 {
        assert!(Instant::now() < deadline, "some are owed for ever");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mails = app.mail.mails();
    let mut copies: BTreeMap<String, Vec<&Mail>> = BTreeMap::new();
    for mail in &mails {
        copies.entry(mail.message_id()).or_default().push(mail);
    }
    assert_eq!(copies.len(), MAILS);
    for (id, copies) in &copies {
        let was_accepted = accepted.iter().any(|mail| mail.message_id() == *id);
        assert_eq!(copies.len(), 1 + usize::from(was_accepted), "{id}");
        assert!(copies.iter().all(|copy| copy.raw == copies[0].raw), "{id}");
        assert!(copies.iter().all(|copy| copy.to == copies[0].to), "{id}");
    }
}

/// A tenant with this mail server, seen by the client that is returned.
async fn tenant(app: &TestApp, name: &str, server: &MailServer) -> Client {
    let body = json!({"tenant": {
        "name": name,
        "emailConfiguration": {"host": "127.0.0.1", "port": server.port()},
    }});
    let made = app.client.post("/api/tenant", &body).await.ok();
    let id = text(&made, "/tenant/id");
    app.client.with("x-fusionauth-tenantid", id)
}

async fn a_mail_server_that_hangs_delays_no_other_tenant(db: TestDatabase) {
    // More than a worker hands to one server at once, and than it hands over in all.
    const STUCK: usize = 10;
    const PROMPT: usize = 10;
    let mut app = TestApp::builder(db)
        .workers(0)
        .set("BEADLE_CONCURRENCY", "8")
        .set("BEADLE_MAIL_CONCURRENCY", "4")
        // Whoever waits for the server that hangs waits for longer than this test does.
        .set("BEADLE_MAIL_DEADLINE", "10m")
        .set("BEADLE_LEASE", "20m")
        .start()
        .await;
    let hanging = MailServer::start().await;
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    hanging.make(Trouble::Stall(week), Moment::Connect, usize::MAX);
    let stuck = tenant(&app, "Hooli", &hanging).await;
    let prompt = tenant(&app, "Pied Piper", &app.mail).await;
    let letter = template(&app.client, "start").await;
    let gavin = user(&stuck, "Gavin", &[]).await;
    let gilfoyle = user(&prompt, "Gilfoyle", &[]).await;
    send(&stuck, &letter, &gavin, STUCK).await;
    app.start_worker();
    let deadline = Instant::now() + SOON;
    while hanging.sessions() == 0 {
        assert!(Instant::now() < deadline, "nothing is sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    send(&prompt, &letter, &gilfoyle, PROMPT).await;
    let mails = app.mail.wait_for(PROMPT, SOON).await;
    assert!(
        mails
            .iter()
            .all(|mail| mail.to == ["gilfoyle@piedpiper.example"])
    );
    // The other server still hangs: nothing came back from it, and all is owed.
    let owed = "SELECT count(*) FROM outbox WHERE recipient = 'gavin@piedpiper.example'";
    assert_eq!(app.db.number(owed), i64::try_from(STUCK).unwrap());
    let tried = "SELECT count(*) FROM attempts";
    assert_eq!(app.db.number(tried), 0);
    assert_eq!(hanging.mails().len(), 0);
}

/// The newest delivery to a user, once an attempt is on record.
async fn tried(app: &TestApp, user: &str) -> Value {
    let path = format!("/api/delivery/search?userId={user}");
    let deadline = Instant::now() + SOON;
    loop {
        let found = app.client.get(&path).await.ok();
        let newest = &found["deliveries"][0];
        if newest["attempts"]
            .as_array()
            .is_some_and(|tries| !tries.is_empty())
        {
            return newest.clone();
        }
        assert!(Instant::now() < deadline, "not tried: {found:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_delivery_tells_what_the_mail_server_has_against_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let letter = template(&app.client, "start").await;
    let gavin = user(&app.client, "Gavin", &["de_CH", "fr"]).await;
    let unknown = Trouble::Refuse("550 5.1.1 no such user".to_owned());
    app.mail.make(unknown, Moment::Recipient, 1);
    send(&app.client, &letter, &gavin, 1).await;
    let refused = tried(&app, &gavin).await;
    assert_eq!(refused["state"], "Exhausted");
    assert_eq!(refused["preferredLanguages"], json!(["de_CH", "fr"]));
    assert_eq!(refused["locale"], "de");
    let locales = json!({"html": "de", "subject": "de", "text": "de"});
    assert_eq!(refused["locales"], locales);

    send(&app.client, &letter, &gavin, 1).await;
    let canceled = tried(&app, &gavin).await;
    assert_eq!(canceled["state"], "Canceled");
    let explanation = text(&canceled, "/explanation");
    let because = format!("the delivery {}", text(&refused, "/id"));
    for words in [" because the address is suppressed", &because] {
        assert!(explanation.contains(words), "{explanation}");
    }

    app.mail
        .require_login("piper", "a password that nobody gave");
    let gilfoyle = user(&app.client, "Gilfoyle", &[]).await;
    send(&app.client, &letter, &gilfoyle, 1).await;
    let failed = tried(&app, &gilfoyle).await;
    assert_eq!(failed["lastError"]["statusCode"], 530);
    // Another one is not even tried, and does not know that answer.
    send(&app.client, &letter, &gilfoyle, 1).await;
    let path = format!("/api/delivery/search?userId={gilfoyle}");
    let waiting = app.client.get(&path).await.ok()["deliveries"][0].clone();
    let state = (text(&waiting, "/state"), number(&waiting, "/attempt"));
    assert_eq!(state, ("Pending", 0));
    let explanation = text(&waiting, "/explanation");
    assert!(explanation.contains("refuses the login"), "{explanation}");
    let until = number(&waiting, "/throttledUntilInstant");
    assert_eq!(number(&waiting, "/nextInstant"), until);
}
