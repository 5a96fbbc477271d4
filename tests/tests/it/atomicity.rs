//! A write happens as a whole or leaves no trace.

use std::time::Duration;

use beadle_tests::{Backend, TestApp, TestDatabase};
use serde_json::json;

use crate::scene::Rewards;

beadle_tests::both_backends!(
    a_transaction_that_fails_leaves_no_trace_in_any_table,
    a_refused_action_leaves_no_trace_in_any_table,
);

/// Makes the last step of taking an action fail: the row of the delivery owed.
fn break_outbox(db: &TestDatabase) {
    db.execute(match db.backend() {
        Backend::Sqlite => {
            "CREATE TRIGGER broken BEFORE INSERT ON outbox
             BEGIN SELECT RAISE(ABORT, 'broken by a test'); END"
        }
        Backend::Postgres => {
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'broken by a test'; END $$;
             CREATE TRIGGER broken BEFORE INSERT ON outbox
             FOR EACH ROW EXECUTE FUNCTION broken()"
        }
    });
}

fn mend_outbox(db: &TestDatabase) {
    db.execute(match db.backend() {
        Backend::Sqlite => "DROP TRIGGER broken",
        Backend::Postgres => "DROP TRIGGER broken ON outbox",
    });
}

async fn a_transaction_that_fails_leaves_no_trace_in_any_table(db: TestDatabase) {
    let app = TestApp::builder(db).workers(1).start().await;
    let rewards = Rewards::prepare(&app).await;
    let before = app.db.row_counts();

    break_outbox(&app.db);
    let request = rewards.request();
    let refused = app.client.post("/api/user/action", &request).await;
    assert_eq!((refused.status, refused.text()), (500, String::new()));
    assert_eq!(app.db.row_counts(), before);

    mend_outbox(&app.db);
    app.receiver.expect_quiet(Duration::from_secs(1)).await;
    app.client.post("/api/user/action", &request).await.ok();
    app.receiver.wait_for(1, crate::scene::SOON).await;
}

async fn a_refused_action_leaves_no_trace_in_any_table(db: TestDatabase) {
    let app = TestApp::builder(db).workers(0).start().await;
    let rewards = Rewards::prepare(&app).await;
    let before = app.db.row_counts();

    let mut request = rewards.request();
    let nobody = uuid::Uuid::new_v4().to_string();
    request["action"]["actioneeUserId"] = nobody.as_str().into();
    request["action"]["reasonId"] = nobody.as_str().into();
    request["action"]["option"] = "none of them".into();
    let refused = app.client.post("/api/user/action", &request).await;
    refused.must_be(400);
    assert_eq!(
        refused.error_codes(),
        [
            "[invalid]action.actioneeUserId",
            "[invalid]action.option",
            "[invalid]action.reasonId"
        ]
    );
    let empty = app.client.post("/api/user/action", &json!({})).await;
    empty.must_be(400);
    assert_eq!(empty.error_codes(), ["[missing]action"]);
    let stranger = app.client.without_key();
    let unknown = stranger.post("/api/user/action", &rewards.request()).await;
    assert_eq!((unknown.status, unknown.text()), (401, String::new()));
    assert_eq!(app.db.row_counts(), before);
}
