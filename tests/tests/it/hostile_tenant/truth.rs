//! What is answered is so, whatever happens beside.

use std::time::Duration;

use beadle_tests::{Client, TestDatabase};
use serde_json::{Value, json};

use super::World;
use crate::scene::{taking, text};

beadle_tests::both_backends!(
    an_action_that_is_refused_for_want_of_time_is_not_taken,
    a_right_that_is_taken_away_is_gone_at_once,
);

const ACTIONS: &str = "/api/user/action";

async fn an_action_that_is_refused_for_want_of_time_is_not_taken(db: TestDatabase) {
    /// Longer than anybody is kept waiting.
    const OUTAGE: Duration = Duration::from_secs(7);
    const AT_ONCE: usize = 4;
    let mut world = World::start(db).await;
    let gavin = world.hostile.user("gavin", json!({})).await;
    let body = taking(&world.reward, &gavin, &gavin);
    // What is remembered of a key and a definition is not asked for while nobody answers.
    world.hostile.client.post(ACTIONS, &body).await.ok();
    let lock = world.app.db.lock_outbox();
    let acting: Vec<_> = (0..AT_ONCE)
        .map(|_| tokio::spawn(act(world.hostile.client.clone(), body.clone())))
        .collect();
    tokio::time::sleep(OUTAGE).await;
    drop(lock);
    let mut taken = 1;
    for acting in acting {
        match acting.await.unwrap() {
            200 => taken += 1,
            status => assert_eq!(status, 503),
        }
    }
    // Whatever was begun has come to its end when another one has.
    world.hostile.client.post(ACTIONS, &body).await.ok();
    let logs = world.app.db.number("SELECT count(*) FROM action_logs");
    assert_eq!(logs, taken + 1, "actions are not what was answered");
    world.check_alive();
}

async fn act(client: Client, body: Value) -> u16 {
    client.post(ACTIONS, &body).await.status
}

async fn a_right_that_is_taken_away_is_gone_at_once(db: TestDatabase) {
    const ROUNDS: usize = 5;
    const AT_ONCE: usize = 6;
    let mut world = World::start(db).await;
    let gavin = world.hostile.user("gavin", json!({})).await;
    let body = taking(&world.reward, &gavin, &gavin);
    let operator = &world.app.client;
    for round in 0..ROUNDS {
        let name = format!("Worker {round}");
        let permissions = |path: &str| json!({"endpoints": {path: ["POST"]}});
        let wanted = json!({"name": name, "permissions": permissions(ACTIONS)});
        let made = operator
            .post("/api/api-key", &json!({"apiKey": wanted}))
            .await
            .ok();
        let worker = operator.with_key(text(&made, "/apiKey/key"));
        assert_eq!(act(worker.clone(), body.clone()).await, 200);
        let busy: Vec<_> = (0..AT_ONCE)
            .map(|_| tokio::spawn(keep_acting(worker.clone(), body.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let path = format!("/api/api-key/{}", text(&made, "/apiKey/id"));
        let narrowed = json!({"apiKey": {"name": name, "permissions": permissions("/api/user")}});
        operator.put(&path, &narrowed).await.ok();
        // Beside those that were judged by what the key could do before.
        for _ in 0..10 {
            assert_eq!(act(worker.clone(), body.clone()).await, 401);
        }
        for busy in busy {
            busy.abort();
        }
    }
    world.check_alive();
}

/// Acts until it may no more.
async fn keep_acting(client: Client, body: Value) {
    while act(client.clone(), body.clone()).await == 200 {}
}
