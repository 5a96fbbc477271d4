//! Promises of `/api/user-action`.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_support::{KEY, NOON, TestApp, both_databases};

const ID: &str = "b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";
const PATH: &str = "/api/user-action/b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";

both_databases!(
    a_definition_has_defaults,
    a_definition_keeps_what_it_was_given,
    all_mistakes_are_reported_at_once,
    deactivation_is_undone_by_reactivation_only,
    the_three_ways_to_patch,
    deletion_needs_an_id,
    a_put_keeps_the_tenants_it_does_not_name,
);

async fn a_definition_has_defaults(app: &TestApp) {
    let created = app
        .post(
            PATH,
            json!({"userAction": {"name": " Survey ", "active": false}}),
        )
        .await
        .ok();
    assert_eq!(
        created,
        json!({"userAction": {
            "active": true, "id": ID, "includeEmailInEventJSON": false,
            "insertInstant": NOON, "lastUpdateInstant": NOON, "name": "Survey", "options": [],
            "preventLogin": false, "sendEndEvent": true, "temporal": false, "tenantIds": [],
            "userEmailingEnabled": false, "userNotificationsEnabled": false,
        }})
    );
}

async fn a_definition_keeps_what_it_was_given(app: &TestApp) {
    let given = json!({
        "name": "Ban", "localizedNames": {"de": "Bann"}, "temporal": true, "preventLogin": true,
        "sendEndEvent": false, "includeEmailInEventJSON": true, "userEmailingEnabled": true,
        "userNotificationsEnabled": true, "tenantIds": [app.tenant], "transactionType": "Any",
        "options": [{"name": "Nicely", "localizedNames": {"de": "Schön"}}, {"name": "Meanly"}],
    });
    let created = app
        .post("/api/user-action", json!({ "userAction": given }))
        .await
        .ok();
    for (member, value) in given.as_object().unwrap() {
        assert_eq!(&created["userAction"][member], value, "{member}");
    }
    let id = created["userAction"]["id"].as_str().unwrap();
    assert_eq!(
        app.get(&format!("/api/user-action/{id}/")).await.ok(),
        created
    );

    app.advance(5);
    let replaced = app
        .put(
            &format!("/api/user-action/{id}"),
            json!({"userAction": {"name": "Ban"}}),
        )
        .await
        .ok();
    let replaced = &replaced["userAction"];
    assert_eq!(
        (&replaced["insertInstant"], &replaced["lastUpdateInstant"]),
        (&json!(NOON), &json!(NOON + 5))
    );
    assert_eq!(
        (&replaced["temporal"], &replaced["options"]),
        (&json!(false), &json!([]))
    );
    assert!(replaced.get("localizedNames").is_none());
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    app.post(PATH, json!({"userAction": {"name": "Other"}}))
        .await
        .ok();
    app.post("/api/user-action", json!({"userAction": {"name": "Ban"}}))
        .await
        .ok();
    let wrong = json!({"userAction": {
        "name": "bAN", "preventLogin": true, "temporal": "yes", "transactionType": "Most",
        "startEmailTemplateId": ID, "endEmailTemplateId": "x", "localizedNames": {"german": "Bann"},
        "options": [{"name": "A"}, {"name": " "}, {"name": "A"}], "tenantIds": [ID],
    }});
    assert_eq!(
        app.post(PATH, wrong).await.codes(),
        [
            "[invalidJSON] on userAction.endEmailTemplateId",
            "[invalidJSON] on userAction.localizedNames",
            "[duplicate]userAction.name",
            "[blank]userAction.options[1].name",
            "[duplicate]userAction.options[2].name",
            "[invalid]userAction.preventLogin",
            "[invalid]userAction.startEmailTemplateId",
            "[invalidJSON] on userAction.temporal",
            "[invalid]userAction.tenantIds[0]",
            "[invalidJSON] on userAction.transactionType",
            "[duplicate]userActionId",
        ]
    );
    assert_eq!(
        app.post("/api/user-action", json!({})).await.codes(),
        ["[missing]userAction"]
    );
    assert_eq!(
        app.post("/api/user-action/x", json!({})).await.codes(),
        ["[couldNotConvert]userActionId"]
    );
}

async fn deactivation_is_undone_by_reactivation_only(app: &TestApp) {
    app.post(PATH, json!({"userAction": {"name": "Ban"}}))
        .await
        .ok();
    app.post("/api/user-action", json!({"userAction": {"name": "Award"}}))
        .await
        .ok();
    for _ in 0..2 {
        assert_eq!(app.delete(PATH).await.status, 200);
    }
    let changed = app
        .put(PATH, json!({"userAction": {"name": "Ban", "active": true}}))
        .await
        .ok();
    assert_eq!(changed["userAction"]["active"], false);
    let names = |list: Value| -> Vec<Value> {
        list["userActions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| action["name"].clone())
            .collect()
    };
    assert_eq!(
        names(app.get("/api/user-action?inactive=true").await.ok()),
        ["Ban"]
    );
    assert_eq!(
        names(app.get("/api/user-action?inactive=false").await.ok()),
        ["Award", "Ban"]
    );
    assert_eq!(
        app.get("/api/user-action?inactive=1").await.codes(),
        ["[couldNotConvert]inactive"]
    );
    let reactivated = app
        .call(Method::PUT, &format!("{PATH}?reactivate=true"), None)
        .await
        .ok();
    assert_eq!(reactivated["userAction"]["active"], true);
    assert_eq!(
        app.delete(&format!("{PATH}?hardDelete=true")).await.status,
        200
    );
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        assert_eq!(app.call(method, PATH, None).await.status, 404);
    }
    assert_eq!(
        app.call(Method::PUT, &format!("{PATH}?reactivate=true"), None)
            .await
            .status,
        404
    );
}

async fn the_three_ways_to_patch(app: &TestApp) {
    app.post(
        PATH,
        json!({"userAction": {"name": "Ban", "options": [{"name": "A"}]}}),
    )
    .await
    .ok();
    let patch = |media_type: &str, body: Value| {
        let request = TestRequest::with_uri(PATH)
            .method(Method::PATCH)
            .insert_header((AUTHORIZATION, KEY))
            .insert_header((CONTENT_TYPE, media_type))
            .set_payload(body.to_string());
        app.send(request)
    };
    let options = |body: Value| body["userAction"]["options"].clone();
    let append = json!({"userAction": {"options": [{"name": "B"}]}});
    assert_eq!(
        options(patch("application/json", append.clone()).await.ok()),
        json!([{"name": "A"}, {"name": "B"}])
    );
    assert_eq!(
        patch("application/json", append.clone()).await.codes(),
        ["[duplicate]userAction.options[2].name"]
    );
    assert_eq!(
        options(patch("application/merge-patch+json", append).await.ok()),
        json!([{"name": "B"}])
    );
    let operations = json!([
        {"op": "test", "path": "/userAction/name", "value": "Ban"},
        {"op": "add", "path": "/userAction/options/0", "value": {"name": "First"}},
    ]);
    assert_eq!(
        options(patch("application/json-patch+json", operations).await.ok()),
        json!([{"name": "First"}, {"name": "B"}])
    );
    let failing = json!([{"op": "test", "path": "/userAction/name", "value": "Other"}]);
    assert_eq!(
        patch("application/json-patch+json", failing).await.codes(),
        ["[JSONPatchTestFailed]"]
    );
    assert_eq!(
        patch("text/plain", json!({})).await.codes(),
        ["[PatchNotSupported]"]
    );
    let unnamed = json!({"userAction": {"name": null}});
    assert_eq!(
        patch("application/json", unnamed).await.codes(),
        ["[blank]userAction.name"]
    );
}

async fn deletion_needs_an_id(app: &TestApp) {
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = app.call(method, "/api/user-action/", Some(json!({}))).await;
        assert_eq!(answer.codes(), ["[missing]userActionId"]);
    }
}

async fn a_put_keeps_the_tenants_it_does_not_name(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    let limited = json!({"userAction": {"name": "A", "tenantIds": [other]}});
    app.post(PATH, limited).await.ok();
    let tenants = |answer: Value| answer["userAction"]["tenantIds"].clone();
    let silent = app.put(PATH, json!({"userAction": {"name": "B"}})).await;
    assert_eq!(tenants(silent.ok()), json!([other]));
    assert_eq!(tenants(app.get(PATH).await.ok()), json!([other]));
    let unknown = json!({"userAction": {"name": "B", "tenantIds": [app.tenant, ID, other]}});
    assert_eq!(
        app.put(PATH, unknown).await.codes(),
        ["[invalid]userAction.tenantIds[1]"]
    );
    let all = json!({"userAction": {"name": "B", "tenantIds": null}});
    assert_eq!(tenants(app.put(PATH, all).await.ok()), json!([]));
}
