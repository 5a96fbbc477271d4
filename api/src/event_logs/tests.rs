//! Promises of `/api/system/event-log`.

use beadle_common::model::event_log::{EventLog, EventLogType};
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::test_support::{NOON, TestApp, both_databases};

const PATH: &str = "/api/system/event-log";
const SEARCH: &str = "/api/system/event-log/search";

both_databases!(
    an_entry_is_found_by_its_number,
    entries_are_searched,
    criteria_that_make_no_sense_are_refused,
);

async fn add(app: &TestApp, entries: &'static [(i64, EventLogType, &'static str)]) {
    let added = app.state.write(move |connection| {
        for (millis, event_type, message) in entries {
            let instant = UnixMillis::from_millis(NOON + millis);
            EventLog::add(connection, instant, *event_type, message)?;
        }
        Ok::<_, ApiError>(())
    });
    added.await.unwrap();
}

async fn an_entry_is_found_by_its_number(app: &TestApp) {
    add(app, &[(0, EventLogType::Error, "the template is broken")]).await;
    assert_eq!(
        app.get(&format!("{PATH}/1")).await.ok(),
        json!({"eventLog": {
            "id": 1, "insertInstant": NOON, "message": "the template is broken", "type": "Error",
        }})
    );
    assert_eq!(app.get(&format!("{PATH}/2")).await.status, 404);
    assert_eq!(
        app.get(&format!("{PATH}/one")).await.codes(),
        ["[couldNotConvert]eventLogId"]
    );
    assert_eq!(app.get(PATH).await.codes(), ["[missing]eventLogId"]);
    assert_eq!(app.delete(&format!("{PATH}/1")).await.status, 405);
}

fn ids(found: &Value) -> Vec<i64> {
    let entries = found["eventLogs"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["id"].as_i64().unwrap())
        .collect()
}

async fn entries_are_searched(app: &TestApp) {
    add(
        app,
        &[
            (0, EventLogType::Error, "Template A is broken"),
            (1, EventLogType::Information, "a server answered again"),
            (2, EventLogType::Error, "Template B is 100% broken"),
        ],
    )
    .await;
    for (query, expected) in [
        ("", vec![3, 2, 1]),
        ("?message=TEMPLATE", vec![3, 1]),
        ("?message=*broken&orderBy=message", vec![1, 3]),
        ("?message=100%25", vec![3]),
        ("?message=0%25*", vec![]),
        ("?type=Information&message=undefined", vec![2]),
        ("?orderBy=type%20DESC,id%20ASC", vec![2, 1, 3]),
        ("?numberOfResults=true&startRow=1", vec![2]),
    ] {
        let found = app.get(&format!("{SEARCH}{query}")).await.ok();
        assert_eq!(ids(&found), expected, "{query}");
    }
    let search = json!({"search": {"start": NOON + 1, "end": NOON + 1, "numberOfResults": 1}});
    let found = app.post(SEARCH, search).await.ok();
    assert_eq!((ids(&found), &found["total"]), (vec![2], &json!(1)));
    let none = app.get(&format!("{SEARCH}?startRow=7")).await.ok();
    assert_eq!(none, json!({"eventLogs": [], "total": 3}));
}

async fn criteria_that_make_no_sense_are_refused(app: &TestApp) {
    let wrong = json!({"search": {
        "message": "x".repeat(1001), "type": "Warning", "start": "noon", "orderBy": "text",
        "startRow": -1,
    }});
    assert_eq!(
        app.post(SEARCH, wrong).await.codes(),
        [
            "[tooLong]search.message",
            "[invalid]search.orderBy",
            "[invalidJSON] on search.start",
            "[invalid]search.startRow",
            "[invalidJSON] on search.type",
        ]
    );
    assert_eq!(
        app.post(SEARCH, json!({})).await.codes(),
        ["[missing]search"]
    );
}
