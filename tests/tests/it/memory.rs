//! What one request may take of the server's memory, however large the rows are that it reads.

use std::fs;

use beadle_tests::process::Process;
use beadle_tests::{Client, TestApp, TestDatabase};
use serde_json::{Value, json};

beadle_tests::both_backends!(a_page_of_large_users_leaves_the_process_small);

/// Users of a default page.
const PAGE: usize = 25;

/// The most that the API may have in memory at any time.
const MOST_MEMORY: u64 = 300 << 20;

/// Has the kernel measure the peak anew.
fn forget_peak(process: &Process) {
    let path = format!("/proc/{}/clear_refs", process.id());
    fs::write(path, "5").expect("a process of this user");
}

/// The peak of its resident memory, in bytes.
fn peak(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes.unwrap().parse::<u64>().unwrap() << 10
}

async fn add_users(client: &Client, name: &str, data: &Value) {
    for number in 0..PAGE {
        let user =
            json!({"username": format!("{name}{number:02}"), "password": "password", "data": data});
        client
            .post("/api/user", &json!({ "user": user }))
            .await
            .ok();
    }
}

/// Reads the page that a search for this name finds, `at_once` times at once.
async fn read(app: &mut TestApp, name: &str, at_once: usize) {
    forget_peak(app.api());
    let path = format!("/api/user/search?queryString={name}*");
    let requests = (0..at_once).map(|_| {
        let (client, path) = (app.client.clone(), path.clone());
        tokio::spawn(async move { client.get(&path).await })
    });
    for request in requests.collect::<Vec<_>>() {
        let users = request.await.unwrap().ok()["users"].take();
        assert_eq!(users.as_array().unwrap().len(), PAGE);
    }
    let peak = peak(app.api());
    assert!(peak < MOST_MEMORY, "{at_once} x {name}: {} MiB", peak >> 20);
}

async fn a_page_of_large_users_leaves_the_process_small(db: TestDatabase) {
    let mut app = TestApp::builder(db)
        .set("BEADLE_SQLITE_SYNCHRONOUS", "normal")
        .start()
        .await;
    // Parsed, each of these objects takes some 600 bytes.
    let dense = vec![json!({"": 0}); 150_000 / 7];
    add_users(&app.client, "dense", &json!({ "list": dense })).await;
    add_users(
        &app.client,
        "large",
        &json!({"text": "x".repeat(1_000_000)}),
    )
    .await;
    for name in ["dense", "large"] {
        for at_once in [1, 8] {
            read(&mut app, name, at_once).await;
        }
    }
}
