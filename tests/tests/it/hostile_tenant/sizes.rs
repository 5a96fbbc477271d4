//! Small requests with large answers, and large ones for many.

use beadle_tests::TestDatabase;
use hyper::Method;
use serde_json::{Value, json};

use super::{World, must_be_answered};
use crate::scene::template;

beadle_tests::both_backends!(
    a_page_of_large_users_takes_little_memory,
    the_answer_of_a_search_is_not_kept,
    a_mail_to_many_costs_the_others_nothing,
);

/// What the API may come to, whatever stands on a page.
const MOST_MEMORY: u64 = 300 << 20;

/// A default page of them.
const PAGE: usize = 25;

/// One text of almost a megabyte.
fn long_text() -> Value {
    json!({"text": "x".repeat(1_000_000)})
}

/// So many small objects that they take a hundred times their text.
fn many_objects() -> Value {
    json!({"objects": vec![json!({"": 0}); 150_000 / 7]})
}

async fn a_page_of_large_users_takes_little_memory(db: TestDatabase) {
    let mut world = World::start(db).await;
    let innocent = world.innocent().await;
    for (what, data) in [("text", long_text()), ("objects", many_objects())] {
        for number in 0..PAGE {
            let name = format!("{what}{number}");
            world.hostile.user(&name, json!({"data": data})).await;
        }
        let client = &world.hostile.client;
        for path in ["/api/user/search", "/api/user/search?numberOfResults=1000"] {
            must_be_answered(what, &client.get(path).await);
        }
        innocent
            .endures(what, async || {
                let path = format!("/api/user/search?queryString={what}*");
                must_be_answered(what, &client.get(&path).await);
            })
            .await;
        let peak = world.app.api().peak_memory();
        assert!(peak < MOST_MEMORY, "{what}: {} MiB", peak >> 20);
    }
    world.check_alive();
}

async fn the_answer_of_a_search_is_not_kept(db: TestDatabase) {
    let world = World::start(db).await;
    for number in 0..3 {
        let name = format!("gavin{number}");
        world
            .hostile
            .user(&name, json!({"data": long_text()}))
            .await;
    }
    let kept = "SELECT count(*) FROM idempotency_keys";
    let before = world.app.db.number(kept);
    let client = world.hostile.client.with("Idempotency-Key", "search");
    for _ in 0..2 {
        let body = json!({"search": {"queryString": "gavin*"}});
        let reply = client.post("/api/user/search", &body).await;
        must_be_answered("a search", &reply);
        assert!(!reply.headers.contains_key("idempotent-replayed"));
    }
    assert_eq!(world.app.db.number(kept), before);
}

async fn a_mail_to_many_costs_the_others_nothing(db: TestDatabase) {
    let mut world = World::start(db).await;
    let letter = template(&world.app.client, "start").await;
    let path = format!("/api/email/send/{letter}");
    let others = |count: usize| -> Vec<Value> {
        let address = |number| json!({"address": format!("reader{number}@hooli.example")});
        (0..count).map(address).collect()
    };
    let copies: Vec<String> = (0..20).map(|n| format!("copy{n}@hooli.example")).collect();
    let large = json!({
        "toAddresses": others(40),
        "requestData": {"text": "x".repeat(900_000)},
    });
    let many = json!({"toAddresses": others(1000), "ccAddresses": copies, "bccAddresses": copies});
    let innocent = world.innocent().await;
    let most = json!({"toAddresses": others(1900)});
    for (what, body) in [
        ("much for forty readers", large),
        ("a thousand readers with copies", many),
        ("as many readers as may be", most),
    ] {
        let body = body.to_string().into_bytes();
        innocent
            .endures(what, async || {
                let client = &world.hostile.client;
                let reply = client.try_send(Method::POST, &path, Some(body.clone()));
                must_be_answered(what, &reply.await.unwrap());
            })
            .await;
    }
    world.check_alive();
}
