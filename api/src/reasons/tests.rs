//! Promises of `/api/user-action-reason`.

use serde_json::json;

use crate::test_support::{NOON, TestApp, both_databases};

const ID: &str = "5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10";

both_databases!(
    a_reason_lives_from_creation_to_deletion,
    all_mistakes_are_reported_and_nothing_is_stored,
    a_patch_changes_only_what_it_names,
);

async fn a_reason_lives_from_creation_to_deletion(app: &TestApp) {
    let path = format!("/api/user-action-reason/{ID}");
    let created = app
        .post(&path, json!({"userActionReason": {
            "code": " FRAC ", "text": "Infraction", "localizedTexts": {"de": "Verstoß", "fr": null},
            "id": "ignored", "insertInstant": 5, "unknown": {},
        }}))
        .await
        .ok();
    let expected = json!({"userActionReason": {
        "code": "FRAC", "id": ID, "insertInstant": NOON, "lastUpdateInstant": NOON,
        "localizedTexts": {"de": "Verstoß"}, "text": "Infraction",
    }});
    assert_eq!(created, expected);
    assert_eq!(app.get(&path).await.ok(), expected);

    app.advance(1);
    let updated = app
        .put(
            &path,
            json!({"userActionReason": {"code": "B", "text": "A text"}}),
        )
        .await
        .ok();
    let expected = json!({
        "code": "B", "id": ID, "insertInstant": NOON, "lastUpdateInstant": NOON + 1, "text": "A text",
    });
    assert_eq!(updated["userActionReason"], expected);

    app.post(
        "/api/user-action-reason/",
        json!({"userActionReason": {"code": "Z", "text": "0"}}),
    )
    .await
    .ok();
    let list = app.get("/api/user-action-reason").await.ok();
    let codes: Vec<_> = list["userActionReasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].clone())
        .collect();
    assert_eq!(codes, ["Z", "B"]);

    assert_eq!(app.delete(&path).await.status, 200);
    assert_eq!(app.delete(&path).await.status, 404);
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.put(&path, json!({})).await.status, 404);
}

async fn all_mistakes_are_reported_and_nothing_is_stored(app: &TestApp) {
    let path = format!("/api/user-action-reason/{ID}");
    app.post(
        &path,
        json!({"userActionReason": {"code": "B", "text": "Second"}}),
    )
    .await
    .ok();
    app.post(
        "/api/user-action-reason",
        json!({"userActionReason": {"code": "A", "text": "First"}}),
    )
    .await
    .ok();
    let again =
        json!({"userActionReason": {"code": "a", "text": "FIRST ", "localizedTexts": {"de": " "}}});
    assert_eq!(
        app.post(&path, again).await.codes(),
        [
            "[duplicate]userActionReason.code",
            "[blank]userActionReason.localizedTexts",
            "[duplicate]userActionReason.text",
            "[duplicate]userActionReasonId",
        ]
    );
    let own = json!({"userActionReason": {"code": "b", "text": "first"}});
    assert_eq!(
        app.put(&path, own).await.codes(),
        ["[duplicate]userActionReason.text"]
    );
    let long = "x".repeat(192);
    assert_eq!(
        app.post(
            "/api/user-action-reason",
            json!({"userActionReason": {"text": long}})
        )
        .await
        .codes(),
        [
            "[blank]userActionReason.code",
            "[tooLong]userActionReason.text"
        ]
    );
    assert_eq!(
        app.post("/api/user-action-reason", json!({"reason": {}}))
            .await
            .codes(),
        ["[missing]userActionReason"]
    );
    let list = app.get("/api/user-action-reason").await.ok();
    assert_eq!(list["userActionReasons"].as_array().unwrap().len(), 2);
}

async fn a_patch_changes_only_what_it_names(app: &TestApp) {
    let path = format!("/api/user-action-reason/{ID}");
    let reason = json!({"code": "A", "text": "First", "localizedTexts": {"de": "Erster"}});
    app.post(&path, json!({ "userActionReason": reason }))
        .await
        .ok();
    let patch = json!({"userActionReason": {"localizedTexts": {"fr": "Premier"}}});
    let patched = app.patch(&path, patch).await.ok();
    assert_eq!(
        patched["userActionReason"]["localizedTexts"],
        json!({"de": "Erster", "fr": "Premier"})
    );
    assert_eq!(patched["userActionReason"]["code"], "A");
    let removal = json!({"userActionReason": {"code": null}});
    assert_eq!(
        app.patch(&path, removal).await.codes(),
        ["[blank]userActionReason.code"]
    );
}
