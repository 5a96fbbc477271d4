//! Promises of logs about what outlives what, and about actioners of another tenant.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_support::{Answered, KEY, TestApp, both_databases};

both_databases!(
    logs_go_with_the_actionee_and_with_the_definition,
    a_deactivated_definition_is_not_applied_anew,
    an_actioner_may_be_of_another_tenant_unless_the_call_is_limited,
);

const RITA: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const ROLF: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";

async fn send(app: &TestApp, path: &str, tenant: &str, body: Value) -> Answered {
    let request = TestRequest::with_uri(path)
        .method(Method::POST)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header(("X-FusionAuth-TenantId", tenant))
        .set_payload(body.to_string());
    app.send(request).await
}

async fn user(app: &TestApp, id: &str, tenant: &str) {
    let user = json!({"user": {"username": id, "password": "password"}});
    send(app, &format!("/api/user/{id}"), tenant, user)
        .await
        .ok();
}

async fn definition(app: &TestApp) -> String {
    let gift = json!({"userAction": {"name": "Gift"}});
    let made = app.post("/api/user-action", gift).await.ok();
    made["userAction"]["id"].as_str().unwrap().to_owned()
}

fn action(actionee: &str, actioner: &str, definition: &str) -> Value {
    json!({"action": {
        "actioneeUserId": actionee, "actionerUserId": actioner, "userActionId": definition,
    }})
}

async fn logs_of(app: &TestApp, user: &str) -> Vec<Value> {
    let path = format!("/api/user/action?userId={user}");
    let listed = app.get(&path).await.ok();
    listed["actions"].as_array().unwrap().clone()
}

async fn logs_go_with_the_actionee_and_with_the_definition(app: &TestApp) {
    let tenant = app.tenant.to_string();
    user(app, RITA, &tenant).await;
    user(app, ROLF, &tenant).await;
    let gift = definition(app).await;
    for (actionee, actioner) in [(RITA, ROLF), (ROLF, RITA)] {
        app.post("/api/user/action", action(actionee, actioner, &gift))
            .await
            .ok();
    }
    let of_rita = logs_of(app, RITA).await[0]["id"].clone();
    app.delete(&format!("/api/user/{RITA}?hardDelete=true"))
        .await
        .ok_empty();
    let gone = format!("/api/user/action/{}", of_rita.as_str().unwrap());
    assert_eq!(app.get(&gone).await.status, 404);
    assert_eq!(
        app.get(&format!("/api/user/action?userId={RITA}"))
            .await
            .status,
        404
    );
    assert_eq!(logs_of(app, ROLF).await[0]["actionerUserId"], json!(RITA));
    app.delete(&format!("/api/user-action/{gift}?hardDelete=true"))
        .await
        .ok_empty();
    assert!(logs_of(app, ROLF).await.is_empty());
}

async fn a_deactivated_definition_is_not_applied_anew(app: &TestApp) {
    user(app, RITA, &app.tenant.to_string()).await;
    let gift = definition(app).await;
    let taken = action(RITA, RITA, &gift);
    app.post("/api/user/action", taken.clone()).await.ok();
    let path = format!("/api/user-action/{gift}");
    for _ in 0..2 {
        app.delete(&path).await.ok_empty();
    }
    assert_eq!(logs_of(app, RITA).await.len(), 1);
    assert_eq!(
        app.post("/api/user/action", taken.clone()).await.codes(),
        ["[inactive]action.userActionId"]
    );
    app.call(Method::PUT, &format!("{path}?reactivate=true"), None)
        .await
        .ok();
    app.post("/api/user/action", taken).await.ok();
    assert_eq!(logs_of(app, RITA).await.len(), 2);
}

async fn an_actioner_may_be_of_another_tenant_unless_the_call_is_limited(app: &TestApp) {
    let (mine, other) = (
        app.tenant.to_string(),
        app.add_tenant("Other").await.to_string(),
    );
    user(app, RITA, &mine).await;
    user(app, ROLF, &other).await;
    let gift = definition(app).await;
    let across = action(RITA, ROLF, &gift);
    assert_eq!(
        send(app, "/api/user/action", &mine, across.clone())
            .await
            .codes(),
        ["[invalid]action.actionerUserId"]
    );
    assert_eq!(
        send(app, "/api/user/action", &other, across.clone())
            .await
            .codes(),
        ["[invalid]action.actioneeUserId"]
    );
    app.post("/api/user/action", across).await.ok();
    let taken = logs_of(app, RITA).await[0]["id"].clone();
    let path = format!("/api/user/action/{}", taken.as_str().unwrap());
    assert_eq!(app.patch(&path, json!({})).await.status, 405);
    assert_eq!(app.post(&path, json!({})).await.status, 405);
}
