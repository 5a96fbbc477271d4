//! A process dies with requests under way, and all who asked ask again.

use beadle_tests::{Backend, Client, TestDatabase};
use serde_json::Value;

use super::World;
use crate::scene::taking;

beadle_tests::both_backends!(whoever_repeats_after_a_crash_stands_in_nobodys_way);

const CLIENTS: usize = 40;
const KEYS: usize = 6;

async fn whoever_repeats_after_a_crash_stands_in_nobodys_way(db: TestDatabase) {
    let mut world = World::start(db).await;
    let gavin = world.hostile.user("gavin", serde_json::json!({})).await;
    let body = taking(&world.reward, &gavin, &gavin);
    let first = repeat(&world.hostile.client, &body).await;
    assert!(first.iter().all(|status| *status == 200), "{first:?}");
    world.app.api().kill();
    world.app.start_api().await;
    let innocent = world.innocent().await;
    let (client, db) = (&world.hostile.client, &world.app.db);
    // Forty who act at once are work for a debug build, and wait for each other.
    innocent
        .is_served("keys of a process that died", &async || {
            // A reservation outlasts its process by a minute, which nobody waits for here.
            db.execute("UPDATE idempotency_keys SET answer = NULL, expiration_instant = 1");
            let again = repeat(client, &body).await;
            let expected = |status: &u16| [200, 409].contains(status);
            assert!(again.iter().all(expected), "{again:?}");
        })
        .await;
    if world.app.db.backend() == Backend::Postgres {
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(world.app.db.number(deadlocks), 0);
    }
    world.check_alive();
}

/// Each client sends each of its keys, one after the other. All clients send at once.
async fn repeat(client: &Client, body: &Value) -> Vec<u16> {
    let sending: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (client, body) = (client.clone(), body.clone());
            tokio::spawn(async move {
                let mut statuses = Vec::new();
                for key in 0..KEYS {
                    let keyed = client.with("Idempotency-Key", &format!("{number}-{key}"));
                    statuses.push(keyed.post("/api/user/action", &body).await.status);
                }
                statuses
            })
        })
        .collect();
    let mut all = Vec::new();
    for statuses in sending {
        all.extend(statuses.await.unwrap());
    }
    all
}
