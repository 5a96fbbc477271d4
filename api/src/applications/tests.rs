//! Promises of `/api/application`.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::test_support::{NOON, TestApp, both_databases};

const ID: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";
const PATH: &str = "/api/application/3c219e58-ed0e-4b18-ad48-f4f92793ae32";

both_databases!(
    an_application_lives_from_creation_to_deletion,
    all_mistakes_are_reported_at_once,
    a_removed_application_leaves_the_logs,
);

async fn an_application_lives_from_creation_to_deletion(app: &TestApp) {
    let given = json!({"name": "Forum", "baseURL": "https://forum.example", "roles": [{"id": ID, "name": "admin"}]});
    let created = app.post(PATH, json!({ "application": given })).await.ok();
    assert_eq!(
        created["application"],
        json!({
            "active": true, "baseURL": "https://forum.example", "data": {}, "id": ID,
            "insertInstant": NOON, "lastUpdateInstant": NOON,
            "loginConfiguration": {"requireAuthentication": true}, "name": "Forum",
            "roles": [{"id": ID, "isDefault": false, "isSuperRole": false, "name": "admin"}],
            "state": "Active", "tenantId": app.tenant,
        })
    );
    let patch = json!({"application": {"loginConfiguration": {"requireAuthentication": false}}});
    let patched = app.patch(PATH, patch).await.ok();
    assert_eq!(
        patched["application"]["loginConfiguration"],
        json!({"requireAuthentication": false})
    );
    assert_eq!(app.delete(PATH).await.status, 200);
    let names = |list: Value| list["applications"].as_array().unwrap().len();
    assert_eq!(names(app.get("/api/application").await.ok()), 0);
    assert_eq!(
        names(app.get("/api/application?inactive=true").await.ok()),
        1
    );
    let again = app
        .call(Method::PUT, &format!("{PATH}?reactivate=true"), None)
        .await
        .ok();
    assert_eq!(again["application"]["state"], "Active");
    assert_eq!(
        app.delete(&format!("{PATH}?hardDelete=true")).await.status,
        200
    );
    assert_eq!(app.get(PATH).await.status, 404);
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    app.post(PATH, json!({"application": {"name": "Forum"}}))
        .await
        .ok();
    let wrong = json!({"application": {"name": "fORUM", "roles": [{}], "data": 1}});
    assert_eq!(
        app.post("/api/application", wrong).await.codes(),
        [
            "[invalidJSON] on application.data",
            "[duplicate]application.name",
            "[blank]application.roles[0].name",
        ]
    );
    let empty = json!({"application": {}});
    assert_eq!(
        app.post(PATH, empty).await.codes(),
        ["[blank]application.name", "[duplicate]applicationId"]
    );
}

async fn a_removed_application_leaves_the_logs(app: &TestApp) {
    app.post(PATH, json!({"application": {"name": "Forum"}}))
        .await
        .ok();
    let other = app
        .post("/api/application", json!({"application": {"name": "Shop"}}))
        .await
        .ok();
    let other = other["application"]["id"].clone();
    let user = json!({"user": {"username": "rita", "password": "password"}});
    let user = app.post("/api/user", user).await.ok()["user"]["id"].clone();
    let definition = app
        .post("/api/user-action", json!({"userAction": {"name": "Like"}}))
        .await
        .ok();
    let action = json!({"action": {
        "actioneeUserId": user, "actionerUserId": user, "userActionId": definition["userAction"]["id"],
        "applicationIds": [ID, other],
    }});
    let taken = app.post("/api/user/action", action).await.ok();
    assert_eq!(
        taken["action"]["applicationIds"].as_array().unwrap().len(),
        2
    );
    app.delete(&format!("{PATH}?hardDelete=true")).await;
    let log = format!(
        "/api/user/action/{}",
        taken["action"]["id"].as_str().unwrap()
    );
    assert_eq!(
        app.get(&log).await.ok()["action"]["applicationIds"],
        json!([other])
    );
}
