//! What Prometheus is told of deliveries that were made and that failed.

use std::time::Instant;

use beadle_tests::process::free_port;
use beadle_tests::{Answer, Client, TestApp, TestDatabase};

use crate::scene::{Rewards, SOON};

beadle_tests::both_backends!(
    a_worker_tells_of_deliveries_that_were_made_and_that_failed,
    the_api_tells_of_requests_and_of_the_worker_inside,
    a_worker_shows_nothing_unless_it_is_asked_to,
);

/// Waits until the metrics have these lines.
async fn wait_for_lines(client: &Client, lines: &[&str]) -> String {
    let deadline = Instant::now() + SOON;
    loop {
        let reply = client
            .try_send(hyper::Method::GET, "/metrics", None)
            .await
            .map(|reply| (reply.status, reply.text()));
        if let Ok((200, text)) = &reply
            && lines
                .iter()
                .all(|line| text.lines().any(|had| had == *line))
        {
            return text.clone();
        }
        assert!(Instant::now() < deadline, "no {lines:#?} in\n{reply:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// One delivery that fails for good, then one that is made.
async fn deliver(app: &TestApp) {
    let rewards = Rewards::prepare(app).await;
    app.receiver.always(Answer::status(500));
    rewards.give(&app.client, 1).await;
    app.receiver.wait_for(1, SOON).await;
    app.receiver.always(Answer::status(200));
    rewards.give(&app.client, 1).await;
    app.receiver.wait_for(2, SOON).await;
}

const TOLD: [&str; 7] = [
    r#"beadle_attempts_total{class="http",kind="webhook",result="failure"} 1"#,
    r#"beadle_attempts_total{class="none",kind="webhook",result="success"} 1"#,
    r#"beadle_deliveries_settled_total{kind="webhook",state="Delivered"} 1"#,
    r#"beadle_deliveries_settled_total{kind="webhook",state="Exhausted"} 1"#,
    r#"beadle_claimed_rows_total{kind="webhook"} 2"#,
    r#"beadle_outbox_oldest_due_seconds{kind="webhook"} 0"#,
    "beadle_database_up 1",
];

async fn a_worker_tells_of_deliveries_that_were_made_and_that_failed(db: TestDatabase) {
    let address = format!("127.0.0.1:{}", free_port());
    let app = TestApp::builder(db)
        .workers(1)
        .set("BEADLE_METRICS_LISTEN", &address)
        .set("BEADLE_RETRY_SCHEDULE", "0s")
        .start()
        .await;
    deliver(&app).await;
    let worker = Client::new(&format!("http://{address}"));
    wait_for_lines(&worker, &TOLD).await;
}

async fn the_api_tells_of_requests_and_of_the_worker_inside(db: TestDatabase) {
    let app = TestApp::builder(db)
        .workers(0)
        .set("BEADLE_EMBEDDED_WORKER", "true")
        .set("BEADLE_RETRY_SCHEDULE", "0s")
        .start()
        .await;
    deliver(&app).await;
    let anybody = app.client.without_key();
    let text = wait_for_lines(&anybody, &TOLD).await;
    let taken =
        r#"beadle_http_requests_total{method="POST",route="/api/user/action",status="200"} 2"#;
    assert!(text.lines().any(|line| line == taken), "{text}");
}

async fn a_worker_shows_nothing_unless_it_is_asked_to(db: TestDatabase) {
    let mut app = TestApp::builder(db).workers(1).start().await;
    deliver(&app).await;
    let log = app.worker(0).log();
    assert!(log.contains("the worker has started"), "{log}");
    assert!(!log.contains("/metrics"), "{log}");
}
