//! Promises of `/api/system/audit-log`.

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::model::api_key::ApiKey;
use serde_json::{Value, json};

use crate::test_support::{KEY, NOON, TestApp, api_key, both_databases};

const PATH: &str = "/api/system/audit-log";
const SEARCH: &str = "/api/system/audit-log/search";

both_databases!(
    an_entry_is_kept_as_it_was_told,
    all_mistakes_are_reported_at_once,
    entries_are_searched,
    a_locked_key_has_no_business_here,
);

async fn an_entry_is_kept_as_it_was_told(app: &TestApp) {
    let told = json!({"auditLog": {
        "insertUser": " richard@piedpiper.example ", "message": "Renamed the tenant",
        "oldValue": {"name": "Aviato"}, "newValue": "Pied Piper", "reason": "a new owner",
        "data": {"ticket": 7}, "id": 99, "insertInstant": 1,
    }});
    let created = app.post(PATH, told).await.ok();
    assert_eq!(
        created,
        json!({"auditLog": {
            "data": {"ticket": 7}, "id": 1, "insertInstant": NOON,
            "insertUser": "richard@piedpiper.example", "message": "Renamed the tenant",
            "newValue": "Pied Piper", "oldValue": {"name": "Aviato"}, "reason": "a new owner",
        }})
    );
    assert_eq!(app.get(&format!("{PATH}/1")).await.ok(), created);
    assert_eq!(app.get(&format!("{PATH}/2")).await.status, 404);
    assert_eq!(
        app.get(&format!("{PATH}/{}", u64::MAX)).await.codes(),
        ["[couldNotConvert]auditLogId"]
    );
    assert_eq!(app.get(PATH).await.codes(), ["[missing]auditLogId"]);
    assert_eq!(app.post(&format!("{PATH}/5"), json!({})).await.status, 405);
    assert_eq!(app.delete(&format!("{PATH}/1")).await.status, 405);
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    assert_eq!(
        app.post(PATH, json!({})).await.codes(),
        ["[missing]auditLog"]
    );
    let wrong = json!({"auditLog": {"insertUser": " ", "reason": 7, "data": []}});
    assert_eq!(
        app.post(PATH, wrong).await.codes(),
        [
            "[invalidJSON] on auditLog.data",
            "[blank]auditLog.insertUser",
            "[blank]auditLog.message",
            "[invalidJSON] on auditLog.reason",
        ]
    );
}

async fn tell(app: &TestApp, user: &str, message: &str, more: Value) {
    let mut entry = more;
    entry["insertUser"] = json!(user);
    entry["message"] = json!(message);
    app.post(PATH, json!({ "auditLog": entry })).await.ok();
    app.advance(1);
}

async fn entries_are_searched(app: &TestApp) {
    tell(
        app,
        "dinesh",
        "Changed a key",
        json!({"oldValue": "A", "newValue": "B"}),
    )
    .await;
    tell(
        app,
        "gilfoyle",
        "Removed a key",
        json!({"reason": "it leaked"}),
    )
    .await;
    let body = json!({"auditLog": {"insertUser": "jared", "message": "Wrote a note"}});
    let request = TestRequest::post()
        .uri(PATH)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header(("X-FusionAuth-TenantId", app.tenant.to_string()))
        .set_payload(body.to_string());
    app.send(request).await.ok();
    let of_tenant = format!("?tenantId={}", app.tenant);
    for (query, expected) in [
        ("", vec![3, 2, 1]),
        ("?message=KEY", vec![2, 1]),
        ("?user=gil*&reason=undefined", vec![2]),
        ("?reason=LEAK", vec![2]),
        ("?oldValue=a&newValue=b", vec![1]),
        (&of_tenant, vec![3]),
        ("?orderBy=insertUser", vec![1, 2, 3]),
        ("?orderBy=message%20DESC&numberOfResults=2", vec![3, 2]),
        ("?startRow=1&numberOfResults=true", vec![2]),
    ] {
        let found = app.get(&format!("{SEARCH}{query}")).await.ok();
        let ids: Vec<i64> = found["auditLogs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["id"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, expected, "{query}");
    }
    let search = json!({"search": {"start": NOON + 1, "end": NOON + 1}});
    assert_eq!(app.post(SEARCH, search).await.ok()["total"], 1);
    assert_eq!(
        app.post(
            SEARCH,
            json!({"search": {"orderBy": "id", "tenantId": "x"}})
        )
        .await
        .codes(),
        [
            "[invalid]search.orderBy",
            "[invalidJSON] on search.tenantId"
        ]
    );
}

async fn a_locked_key_has_no_business_here(app: &TestApp) {
    app.add_key(ApiKey {
        tenant_id: Some(app.tenant),
        ..api_key("locked")
    })
    .await;
    for path in [
        SEARCH,
        "/api/system/audit-log/1",
        "/api/system/event-log/1",
        "/api/system/event-log/search",
        "/api/system/webhook-event-log/search",
        "/api/system/webhook-event-log/0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21",
        "/api/system/webhook-attempt-log/0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21",
    ] {
        let request = TestRequest::with_uri(path).insert_header((AUTHORIZATION, "locked"));
        assert_eq!(app.send(request).await.status, 401, "{path}");
    }
}
