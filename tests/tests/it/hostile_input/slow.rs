//! Bodies that come late, or never whole.

use beadle_tests::{TestApp, TestDatabase};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{check_log, start};
use crate::by_hand::{Slow, answer, connect};
use crate::endpoints::{ENDPOINTS, Endpoint, Key, Stock};

beadle_tests::both_backends!(
    whoever_has_no_good_key_is_told_so_before_the_body_is_there,
    a_slow_body_takes_its_action_once,
    a_body_that_breaks_off_takes_no_action,
    whoever_is_refused_cannot_go_on_sending,
);

const ACTION: &str = "/api/user/action";

/// What is asked for alone, and what others may be asked for beside.
fn actions(stock: &Stock) -> [String; 2] {
    let sample = stock.sample(take());
    let mut plain: Value = serde_json::from_str(&sample).unwrap();
    plain["action"]["applicationIds"] = json!([]);
    [sample, plain.to_string()]
}

fn take() -> &'static Endpoint {
    let is_take = |endpoint: &&Endpoint| endpoint.method == "POST" && endpoint.path == ACTION;
    ENDPOINTS.iter().find(is_take).unwrap()
}

fn taken(app: &TestApp) -> i64 {
    app.db.number("SELECT count(*) FROM action_logs")
}

async fn whoever_has_no_good_key_is_told_so_before_the_body_is_there(db: TestDatabase) {
    let (mut app, stock) = start(db).await;
    let mut begun = Vec::new();
    for endpoint in ENDPOINTS.iter().filter(|e| !e.sample.is_empty()) {
        // Which application it is about is in the body, and some let anybody in.
        if endpoint.key == Key::Usually {
            continue;
        }
        let (path, body) = (stock.path(endpoint), stock.sample(endpoint));
        let slow = Slow::begin(&app, (endpoint.method, &path), "bad", &body).await;
        begun.push((endpoint, slow));
    }
    for (endpoint, slow) in begun {
        let (status, answer) = slow.answer().await;
        assert_eq!(status, 401, "{endpoint:?}: {answer}");
    }
    check_log(&mut app);
}

async fn a_slow_body_takes_its_action_once(db: TestDatabase) {
    let (mut app, stock) = start(db).await;
    let before = taken(&app);
    let bodies = actions(&stock);
    let mut begun = Vec::new();
    for body in &bodies {
        begun.push(Slow::begin(&app, ("POST", ACTION), &app.key, body).await);
    }
    // Whoever began later and has no good key is told so when nobody waits any longer.
    let other = Slow::begin(&app, ("POST", ACTION), "bad", &bodies[0]).await;
    assert_eq!(other.answer().await.0, 401);
    assert_eq!(taken(&app), before);
    for mut slow in begun {
        slow.complete().await;
        let (status, answer) = slow.answer().await;
        assert_eq!(status, 200, "{answer}");
    }
    assert_eq!(taken(&app), before + 2);
    check_log(&mut app);
}

async fn a_body_that_breaks_off_takes_no_action(db: TestDatabase) {
    let (mut app, stock) = start(db).await;
    let before = taken(&app);
    for body in actions(&stock) {
        for (key, expected) in [(app.key.clone(), 400), ("bad".to_owned(), 401)] {
            let mut slow = Slow::begin(&app, ("POST", ACTION), &key, &body).await;
            slow.break_off().await;
            let (status, answer) = slow.answer().await;
            assert_eq!(status, expected, "{answer}");
        }
    }
    assert_eq!(taken(&app), before);
    check_log(&mut app);
}

async fn whoever_is_refused_cannot_go_on_sending(db: TestDatabase) {
    let (mut app, _) = start(db).await;
    for path in [ACTION, "/api/webhook", "/api/status", "/nowhere"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: beadle\r\nAuthorization: bad\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{{   \r\n"
        );
        let mut stream = connect(&app).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let (status, answer) = answer(stream).await;
        assert!([401, 404, 405].contains(&status), "{path}: {answer}");
    }
    check_log(&mut app);
}
