//! Promises about a database that keeps actions waiting: what is answered 503 is not there,
//! and what is there was answered 200.

use std::time::{Duration, Instant};

use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::db::CHECKOUT_TIMEOUT;
use beadle_common::test_support::{Holder, TestDb};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::test_support::{Answered, KEY, TestApp, both_databases};

const PATH: &str = "/api/user/action";
const RITA: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const ROLF: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";
const THANK: &str = "b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";

/// Longer than anybody waits to be taken up.
const LONG: Duration = CHECKOUT_TIMEOUT.saturating_add(Duration::from_millis(1500));

both_databases!(
    what_is_refused_after_a_long_wait_is_not_done,
    what_has_waited_for_a_moment_is_done,
);

async fn world(app: &TestApp) {
    for (id, name) in [(RITA, "rita"), (ROLF, "rolf")] {
        let user = json!({"user": {"username": name, "password": "password"}});
        app.post(&format!("/api/user/{id}"), user).await.ok();
    }
    let thank = json!({"userAction": {"name": "Thank"}});
    let path = format!("/api/user-action/{THANK}");
    app.post(&path, thank).await.ok();
    // Connections are open, and what is remembered is known.
    thank_all(app, &[RITA]).await;
}

fn thank(user: &str, key: Option<&str>) -> TestRequest {
    let body = json!({"broadcast": true, "action": {
        "actioneeUserId": user, "actionerUserId": user, "userActionId": THANK,
    }});
    let body = body.to_string();
    let request = TestRequest::post()
        .uri(PATH)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CONTENT_LENGTH, body.len()));
    let request = match key {
        Some(key) => request.insert_header(("Idempotency-Key", key)),
        None => request,
    };
    request.set_payload(body)
}

/// Thanks all of them at the same time, each plainly.
async fn thank_all(app: &TestApp, users: &[&str]) -> Vec<(Answered, Duration)> {
    let begin = Instant::now();
    let thanking = users.iter().map(|user| async move {
        let answer = app.send(thank(user, None)).await;
        (answer, begin.elapsed())
    });
    join_all(thanking).await
}

async fn actions_of(app: &TestApp, user: &str) -> usize {
    let found = app.get(&format!("{PATH}?userId={user}")).await.ok();
    found["actions"].as_array().map_or(0, Vec::len)
}

/// Has another process hold something for a while.
async fn held_for(holder: Holder, a_while: Duration) {
    actix_web::rt::time::sleep(a_while).await;
    holder.release();
}

async fn what_is_refused_after_a_long_wait_is_not_done(app: &TestApp) {
    world(app).await;
    let before = actions_of(app, RITA).await;
    let holder = Holder::new(
        &app.state.db,
        "LOCK TABLE action_logs IN ACCESS EXCLUSIVE MODE",
    );
    let keyed = app.send(thank(RITA, Some("k")));
    let plain = thank_all(app, &[RITA, RITA, RITA]);
    let (plain, keyed, ()) = futures_util::join!(plain, keyed, held_for(holder, LONG));
    let mut answers: Vec<Answered> = plain.into_iter().map(|(answer, _)| answer).collect();
    answers.push(keyed);
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(
        answers
            .iter()
            .all(|answer| [200, 503].contains(&answer.status)),
        "{answers:?}"
    );
    // Whatever may have been under way.
    actix_web::rt::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(actions_of(app, RITA).await - before, done, "{answers:?}");
    // Who asks again with the same key learns whether it was done.
    app.send(thank(RITA, Some("k"))).await.ok();
    let again = usize::from(answers.last().unwrap().status != 200);
    assert_eq!(actions_of(app, RITA).await - before, done + again);
}

async fn what_has_waited_for_a_moment_is_done(app: &TestApp) {
    world(app).await;
    let before = actions_of(app, RITA).await;
    let holder = Holder::new(
        &app.state.db,
        "LOCK TABLE action_logs IN ACCESS EXCLUSIVE MODE",
    );
    let plain = thank_all(app, &[RITA, RITA, RITA]);
    let (plain, ()) = futures_util::join!(plain, held_for(holder, Duration::from_secs(1)));
    for (answer, _) in plain {
        answer.ok();
    }
    assert_eq!(actions_of(app, RITA).await - before, 3);
}

#[actix_web::test]
async fn who_needs_a_row_that_somebody_holds_does_not_hold_up_the_others() {
    let app = TestApp::on(TestDb::postgres()).await;
    world(&app).await;
    let holder = Holder::new(
        &app.state.db,
        "SELECT 1 FROM users WHERE username_normalized = 'rolf' FOR UPDATE",
    );
    let all = thank_all(&app, &[RITA, ROLF, RITA, RITA, RITA]);
    let (all, ()) = futures_util::join!(all, held_for(holder, Duration::from_secs(2)));
    let took: Vec<Duration> = all.iter().map(|(_, took)| *took).collect();
    for (position, (answer, took_it)) in all.into_iter().enumerate() {
        let _: Value = answer.ok();
        let waits = position == 1;
        assert_eq!(took_it > Duration::from_secs(1), waits, "{took:?}");
    }
}
