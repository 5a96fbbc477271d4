//! Several worker processes on one database.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use beadle_tests::receiver::Received;
use beadle_tests::{Answer, Backend, TestApp, TestDatabase};
use hyper::Method;

use crate::scene::{Rewards, SOON, now, subscription, taking, text};

beadle_tests::both_backends!(
    workers_share_the_work_and_no_event_comes_twice,
    a_worker_killed_in_mid_delivery_loses_nothing,
    events_taken_while_no_worker_runs_are_delivered_later,
    a_worker_told_to_stop_finishes_what_it_has_begun,
    many_workers_end_each_expired_action_once,
    an_idle_worker_is_woken_by_an_action,
);

/// The ids that the receiver got.
fn ids(app: &TestApp) -> BTreeSet<String> {
    let received = app.receiver.received();
    received
        .iter()
        .map(|request| request.id().to_owned())
        .collect()
}

async fn workers_share_the_work_and_no_event_comes_twice(db: TestDatabase) {
    const EACH: usize = 4;
    const EVENTS: usize = 120;
    let workers = match db.backend() {
        Backend::Sqlite => 2,
        Backend::Postgres => 3,
    };
    let app = TestApp::builder(db)
        .workers(workers)
        .set("BEADLE_CONCURRENCY", &EACH.to_string())
        .set("BEADLE_WEBHOOK_CONCURRENCY", &EACH.to_string())
        .start()
        .await;
    let rewards = Rewards::prepare(&app).await;
    // Slow enough that one worker alone would fall behind.
    let slow = Answer::status(200).after(Duration::from_millis(300));
    app.receiver.always(slow);

    let events = rewards.give(&app.client, EVENTS).await;
    app.receiver.wait_for(EVENTS, SOON * 2).await;
    app.receiver.expect_quiet(Duration::from_secs(2)).await;

    assert_eq!(app.receiver.duplicates().len(), 0);
    assert_eq!(ids(&app), events.into_iter().collect());
    // One process holds at most its own limit, so more than that were several of them.
    let most = app.receiver.most_in_flight();
    assert!(most > EACH, "{most} at once: one worker did it all");
    assert!(most <= EACH * workers, "{most} at once: over the limits");
}

async fn a_worker_killed_in_mid_delivery_loses_nothing(db: TestDatabase) {
    const EVENTS: usize = 20;
    // The shortest lease that these deadlines permit: the dead worker's claims lapse soon.
    let mut app = TestApp::builder(db)
        .workers(1)
        .set("BEADLE_REQUEST_DEADLINE", "1s")
        .set("BEADLE_MAIL_DEADLINE", "1s")
        .set("BEADLE_LEASE", "12s")
        .set("BEADLE_RETRY_SCHEDULE", &vec!["100ms"; 20].join(","))
        .start()
        .await;
    let rewards = Rewards::prepare(&app).await;
    app.receiver.always(Answer::hang());
    let events = rewards.give(&app.client, EVENTS).await;
    app.receiver.wait_for(1, SOON).await;
    app.worker(0).kill();
    // What it had sent is still being read. Afterwards the dead get no answer.
    tokio::time::sleep(Duration::from_millis(500)).await;
    app.receiver.expect_quiet(Duration::from_millis(500)).await;

    app.receiver.always(Answer::status(200));
    app.start_worker();
    let all_taken = |received: &[Received]| {
        let taken = received.iter().filter(|request| request.answered == 200);
        taken.count() >= EVENTS
    };
    app.receiver
        .wait_until(all_taken, "every event", SOON * 2)
        .await;
    assert_eq!(ids(&app), events.into_iter().collect());
    // All have been answered 200 by now, so none is owed any more.
    app.receiver.expect_quiet(Duration::from_secs(3)).await;
}

async fn events_taken_while_no_worker_runs_are_delivered_later(db: TestDatabase) {
    let mut app = TestApp::builder(db).workers(0).start().await;
    let rewards = Rewards::prepare(&app).await;
    let events = rewards.give(&app.client, 10).await;
    app.receiver.expect_quiet(Duration::from_secs(1)).await;
    app.api().kill();
    app.start_api().await;

    app.start_worker();
    app.receiver.wait_for(10, SOON).await;
    app.receiver.expect_quiet(Duration::from_secs(1)).await;
    assert_eq!(ids(&app), events.into_iter().collect());
}

async fn a_worker_told_to_stop_finishes_what_it_has_begun(db: TestDatabase) {
    let mut app = TestApp::builder(db).workers(1).start().await;
    let rewards = Rewards::prepare(&app).await;
    let slow = Answer::status(200).after(Duration::from_secs(1));
    app.receiver.always(slow);
    rewards.give(&app.client, 1).await;
    app.receiver.wait_for(1, SOON).await;
    let ended = app.worker(0).terminate(SOON).await;
    assert!(ended.success(), "{ended}");

    // The answer was waited for and noted: the next worker finds nothing to do.
    app.start_worker();
    app.receiver.expect_quiet(Duration::from_secs(2)).await;
    let api = app.stop_api().await;
    assert!(api.success(), "{api}");
    let gone = app.client.try_send(Method::GET, "/api/status", None).await;
    assert!(gone.is_err());
}

async fn many_workers_end_each_expired_action_once(db: TestDatabase) {
    const ACTIONS: usize = 10;
    let mut app = TestApp::builder(db).workers(0).start().await;
    let rewards = Rewards::prepare(&app).await;
    let definition = subscription(&app.client).await;
    // All of them expire while nobody is there to end them.
    for _ in 0..ACTIONS {
        let mut request = taking(&definition, &rewards.actioner, &rewards.actionee);
        request["action"]["expiry"] = (now() + 1).into();
        app.client.post("/api/user/action", &request).await.ok();
    }
    for _ in 0..3 {
        app.start_worker();
    }
    let delivered = app.receiver.wait_for(2 * ACTIONS, SOON).await;
    app.receiver.expect_quiet(Duration::from_secs(2)).await;
    let ended: BTreeSet<String> = delivered
        .iter()
        .map(Received::event)
        .filter(|event| event["phase"] == "end")
        .map(|event| text(&event, "/actionId").to_owned())
        .collect();
    assert_eq!(ended.len(), ACTIONS);
    assert_eq!(app.receiver.duplicates().len(), 0);
}

async fn an_idle_worker_is_woken_by_an_action(db: TestDatabase) {
    const TIMES: usize = 9;
    // A worker that only looked now and then would need a quarter of a second on average.
    const PROMPT: Duration = Duration::from_millis(120);
    let app = TestApp::start(db).await;
    let rewards = Rewards::prepare(&app).await;
    rewards.give(&app.client, 1).await;
    app.receiver.wait_for(1, SOON).await;

    let mut waits = Vec::new();
    for given in 1..=TIMES {
        // Out of step with any regular look.
        app.receiver.expect_quiet(Duration::from_millis(317)).await;
        rewards.give(&app.client, 1).await;
        let answered = Instant::now();
        let received = app.receiver.wait_for(given + 1, SOON).await;
        waits.push(received[given].arrived.saturating_duration_since(answered));
    }
    waits.sort();
    assert!(
        waits[TIMES / 2] < PROMPT,
        "from answer to webhook: {waits:?}"
    );
}
