//! Callers without any key.

use std::time::{Duration, Instant};

use beadle_tests::{Client, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use super::World;
use crate::scene::text;

beadle_tests::both_backends!(
    large_bodies_of_strangers_slow_nobody_down,
    passwords_that_strangers_guess_slow_nobody_down,
);

const LOGIN: &str = "/api/login";

/// An application of the innocent tenant into which anybody may log in, or nobody without
/// a key.
async fn application(world: &World, name: &str, needs_key: bool) -> String {
    let body = json!({"application": {
        "name": name, "loginConfiguration": {"requireAuthentication": needs_key},
    }});
    let made = world
        .innocent
        .client
        .post("/api/application", &body)
        .await
        .ok();
    text(&made, "/application/id").to_owned()
}

/// Sends the same at once, so many times, and returns what they were answered; no status
/// where the server has hung up on somebody who would not stop.
async fn at_once(client: &Client, count: usize, body: &[u8]) -> Vec<Option<u16>> {
    let sending: Vec<_> = (0..count)
        .map(|_| {
            let (client, body) = (client.clone(), body.to_vec());
            tokio::spawn(async move {
                let sent = client.try_send(Method::POST, LOGIN, Some(body)).await;
                sent.ok().map(|reply| reply.status)
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for sending in sending {
        statuses.push(sending.await.unwrap());
    }
    statuses
}

async fn large_bodies_of_strangers_slow_nobody_down(db: TestDatabase) {
    const STRANGERS: usize = 8;
    let mut world = World::start(db).await;
    let open = application(&world, "Open", false).await;
    let closed = application(&world, "Closed", true).await;
    let stranger = world.app.client.without_key();
    let innocent = world.innocent().await;
    for application in [open, closed] {
        let large = |filling: Value| {
            let body = json!({
                "loginId": "gavin", "password": "a wrong guess", "applicationId": application,
                "metaData": filling,
            });
            body.to_string().into_bytes()
        };
        let bodies = [
            large("x".repeat(1_000_000).into()),
            large(vec![json!({"": 0}); 140_000].into()),
        ];
        innocent
            .endures("a megabyte from each of eight strangers", async || {
                for body in &bodies {
                    for status in at_once(&stranger, STRANGERS, body)
                        .await
                        .into_iter()
                        .flatten()
                    {
                        let refused = [400, 401, 404, 413, 429, 503].contains(&status);
                        assert!(refused, "a stranger is answered {status}");
                    }
                }
            })
            .await;
    }
    world.check_alive();
}

async fn passwords_that_strangers_guess_slow_nobody_down(db: TestDatabase) {
    /// A login that cannot be had by then is refused.
    const PATIENCE: Duration = Duration::from_secs(10);
    let mut world = World::start(db).await;
    let open = application(&world, "Open", false).await;
    let password = json!({"password": "a long enough password"});
    world.innocent.user("dinesh", password).await;
    let login =
        |password: &str| json!({"loginId": "dinesh", "password": password, "applicationId": open});
    let guess = login("a wrong guess").to_string().into_bytes();
    let right = login("a long enough password");
    let stranger = world.app.client.without_key();
    let innocent = world.innocent().await;
    let attack = async |strangers: usize| {
        let begin = Instant::now();
        let (guessed, honest) = tokio::join!(
            at_once(&stranger, strangers, &guess),
            world.innocent.client.post(LOGIN, &right),
        );
        let took = begin.elapsed();
        assert!(took < PATIENCE, "a login takes {took:?}");
        assert!(
            matches!(honest.status, 200 | 202 | 429 | 503),
            "{}",
            honest.status
        );
        for status in guessed {
            let refused = [Some(404), Some(423), Some(429), Some(503)].contains(&status);
            assert!(refused, "a guess is answered {status:?}");
        }
    };
    innocent
        .endures("passwords of eight strangers", async || attack(8).await)
        .await;
    // So many are work by their number alone; nobody is turned away for it.
    innocent
        .is_served("passwords of sixty-four strangers", &async || {
            attack(64).await
        })
        .await;
    world.check_alive();
}
