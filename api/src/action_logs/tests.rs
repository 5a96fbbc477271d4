//! Promises of `/api/user/action`.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_support::{KEY, NOON, TestApp, both_databases};

const ACTIONEE: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const ACTIONER: &str = "ac2f073d-c063-4a7b-ab76-812f44ed7f55";
const BAN: &str = "b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";
const SURVEY: &str = "c1a6cf1a-77b9-4f21-a1b9-5d3e0a8f4b22";
const REASON: &str = "5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10";
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

both_databases!(
    an_action_is_taken_modified_and_canceled,
    an_option_is_recorded_at_once,
    all_mistakes_are_reported_at_once,
    a_log_that_is_not_there_is_404_whatever_is_sent,
    lists_are_filtered,
    a_broadcast_answers_with_its_event,
    another_tenants_log_does_not_exist,
);

async fn story(app: &TestApp) {
    for (id, name, languages) in [
        (ACTIONEE, "rita", json!(["de"])),
        (ACTIONER, "admin", json!([])),
    ] {
        let user =
            json!({"username": name, "password": "password", "preferredLanguages": languages});
        app.post(&format!("/api/user/{id}"), json!({ "user": user }))
            .await
            .ok();
    }
    let ban = json!({"name": "Ban", "temporal": true, "preventLogin": true, "localizedNames": {"de": "Bann"}});
    app.post(
        &format!("/api/user-action/{BAN}"),
        json!({ "userAction": ban }),
    )
    .await
    .ok();
    let survey =
        json!({"name": "Survey", "options": [{"name": "Good", "localizedNames": {"de": "Gut"}}]});
    app.post(
        &format!("/api/user-action/{SURVEY}"),
        json!({ "userAction": survey }),
    )
    .await
    .ok();
    let reason = json!({"code": "FRAC", "text": "Infraction", "localizedTexts": {"de": "Verstoß"}});
    app.post(
        &format!("/api/user-action-reason/{REASON}"),
        json!({ "userActionReason": reason }),
    )
    .await
    .ok();
}

fn ban(expiry: i64) -> Value {
    json!({"action": {
        "actioneeUserId": ACTIONEE, "actionerUserId": ACTIONER, "userActionId": BAN, "expiry": expiry,
        "comment": " first ",
    }})
}

async fn take(app: &TestApp, body: Value) -> String {
    let taken = app.post("/api/user/action", body).await.ok();
    format!(
        "/api/user/action/{}",
        taken["action"]["id"].as_str().unwrap()
    )
}

async fn an_action_is_taken_modified_and_canceled(app: &TestApp) {
    story(app).await;
    let mut body = ban(NOON + 60_000);
    body["action"]["reasonId"] = json!(REASON);
    body["action"]["emailUser"] = json!(true);
    let taken = app.post("/api/user/action", body).await.ok();
    let id = taken["action"]["id"].clone();
    assert_eq!(
        taken["action"],
        json!({
            "actioneeUserId": ACTIONEE, "actionerUserId": ACTIONER, "applicationIds": [], "comment": "first",
            "createInstant": NOON, "emailUserOnEnd": true, "endEventSent": false, "expiry": NOON + 60_000,
            "id": id, "insertInstant": NOON, "lastUpdateInstant": NOON, "localizedName": "Bann",
            "localizedReason": "Verstoß", "name": "Ban", "notifyUserOnEnd": false, "reason": "Infraction",
            "reasonCode": "FRAC", "userActionId": BAN,
        })
    );
    let path = format!("/api/user/action/{}", id.as_str().unwrap());
    assert_eq!(app.get(&path).await.ok(), taken);

    app.advance(1_000);
    let change = json!({"action": {"actionerUserId": ACTIONEE, "expiry": "9223372036854776000", "comment": "second"}});
    let modified = app.put(&path, change).await.ok();
    assert_eq!(modified["action"]["expiry"], json!(i64::MAX));
    assert_eq!(
        modified["action"]["history"]["historyItems"],
        json!([{"actionerUserId": ACTIONER, "comment": "first", "createInstant": NOON, "expiry": NOON + 60_000}])
    );

    app.advance(1_000);
    let end = json!({"action": {"actionerUserId": ACTIONER}});
    let canceled = app
        .call(Method::DELETE, &path, Some(end.clone()))
        .await
        .ok();
    assert_eq!(canceled["action"]["expiry"], json!(NOON + 2_000));
    assert_eq!(canceled["action"]["comment"], "second");
    assert_eq!(
        canceled["action"]["history"]["historyItems"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(app.get(&path).await.ok(), canceled);
    assert_eq!(
        app.call(Method::DELETE, &path, Some(end)).await.codes(),
        ["[invalid]actionId"]
    );
}

async fn an_option_is_recorded_at_once(app: &TestApp) {
    story(app).await;
    let body = json!({"action": {
        "actioneeUserId": ACTIONEE, "actionerUserId": ACTIONER, "userActionId": SURVEY, "option": "Good", "expiry": 5,
    }});
    let taken = app.post("/api/user/action", body).await.ok();
    assert_eq!(taken["action"]["localizedOption"], "Gut");
    assert!(
        taken["action"].get("expiry").is_none() && taken["action"].get("endEventSent").is_none()
    );
    let path = format!(
        "/api/user/action/{}",
        taken["action"]["id"].as_str().unwrap()
    );
    let change = json!({"action": {"actionerUserId": ACTIONER, "expiry": NOON + 1}});
    assert_eq!(app.put(&path, change).await.codes(), ["[invalid]actionId"]);
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    story(app).await;
    let path = "/api/user/action";
    assert_eq!(
        app.call(Method::POST, path, None).await.codes(),
        ["[missing]"]
    );
    assert_eq!(app.post(path, json!({})).await.codes(), ["[missing]action"]);
    assert_eq!(
        app.post(path, json!({"action": 5})).await.codes(),
        ["[invalidJSON] on action"]
    );
    assert_eq!(
        app.post(path, json!({"action": {}})).await.codes(),
        [
            "[missing]action.actioneeUserId",
            "[missing]action.actionerUserId",
            "[missing]action.userActionId"
        ]
    );
    let wrong = json!({"broadcast": "yes", "eventInfo": {"os": 5}, "action": {
        "actioneeUserId": ACTIONEE, "actionerUserId": NOBODY, "userActionId": BAN, "expiry": "soon",
        "applicationIds": [null, NOBODY], "option": "x", "reasonId": NOBODY, "emailUser": 1,
    }});
    assert_eq!(
        app.post(path, wrong).await.codes(),
        [
            "[invalid]action.actionerUserId",
            "[invalid]action.applicationIds[1]",
            "[invalidJSON] on action.emailUser",
            "[invalidJSON] on action.expiry",
            "[invalid]action.option",
            "[invalid]action.reasonId",
            "[invalidJSON] on broadcast",
            "[invalidJSON] on eventInfo.os",
        ]
    );
    let mut endless = ban(0);
    endless["action"]["expiry"] = Value::Null;
    assert_eq!(
        app.post(path, endless).await.codes(),
        ["[missing]action.expiry"]
    );
    app.delete(&format!("/api/user-action/{BAN}")).await;
    assert_eq!(
        app.post(path, ban(NOON + 1)).await.codes(),
        ["[inactive]action.userActionId"]
    );
    let list = app.get(&format!("{path}?userId={ACTIONEE}")).await.ok();
    assert_eq!(list, json!({"actions": []}));
}

async fn a_log_that_is_not_there_is_404_whatever_is_sent(app: &TestApp) {
    story(app).await;
    let path = format!("/api/user/action/{NOBODY}");
    for method in [Method::PUT, Method::DELETE] {
        for body in [None, Some(json!({})), Some(json!({"action": {}}))] {
            assert_eq!(app.call(method.clone(), &path, body).await.status, 404);
        }
        assert_eq!(
            app.call(method.clone(), "/api/user/action/x", None)
                .await
                .codes(),
            ["[couldNotConvert]actionId"]
        );
        assert_eq!(
            app.call(method, "/api/user/action", None).await.codes(),
            ["[missing]actionId"]
        );
    }
    assert_eq!(app.get(&path).await.status, 404);
    for method in [Method::PATCH, Method::POST] {
        assert_eq!(app.call(method, &path, None).await.status, 405);
    }
    let taken = take(app, ban(NOON + 1_000)).await;
    assert_eq!(
        app.call(Method::DELETE, &taken, None).await.codes(),
        ["[missing]"]
    );
    assert_eq!(
        app.put(&taken, json!({})).await.codes(),
        ["[missing]action"]
    );
    assert_eq!(
        app.put(&taken, json!({"action": {}})).await.codes(),
        ["[missing]action.actionerUserId", "[missing]action.expiry"]
    );
}

async fn lists_are_filtered(app: &TestApp) {
    story(app).await;
    let long = take(app, ban(NOON + 60_000)).await;
    app.advance(10);
    take(app, ban(NOON + 1_000)).await;
    app.advance(2_000);
    let list = |query: &str| {
        let path = format!("/api/user/action?{query}");
        async move { app.get(&path).await }
    };
    let count = |list: Value| list["actions"].as_array().unwrap().len();
    assert_eq!(count(list(&format!("userId={ACTIONEE}")).await.ok()), 2);
    let active = list(&format!("userId={ACTIONEE}&active=true")).await.ok();
    assert_eq!(
        active["actions"],
        json!([app.get(&long).await.ok()["action"]])
    );
    assert_eq!(
        count(list(&format!("userId={ACTIONEE}&active=false")).await.ok()),
        1
    );
    assert_eq!(
        count(
            list(&format!("userId={ACTIONEE}&preventingLogin=true"))
                .await
                .ok()
        ),
        1
    );
    assert_eq!(count(list(&format!("userId={ACTIONER}")).await.ok()), 0);
    assert_eq!(list("").await.codes(), ["[missing]userId"]);
    assert_eq!(list("userId=x").await.codes(), ["[couldNotConvert]userId"]);
    assert_eq!(list(&format!("userId={NOBODY}")).await.status, 404);
    assert_eq!(
        list(&format!(
            "userId={ACTIONEE}&active=true&preventingLogin=true"
        ))
        .await
        .codes(),
        ["[invalid]preventingLogin"]
    );
}

async fn a_broadcast_answers_with_its_event(app: &TestApp) {
    story(app).await;
    let mut body = ban(NOON + 60_000);
    body["broadcast"] = json!(true);
    body["eventInfo"] =
        json!({"ipAddress": "198.51.100.7", "location": {"city": "Linz"}, "other": 1});
    let taken = app.post("/api/user/action", body).await.ok();
    let event = &taken["action"]["event"];
    assert_eq!(
        (&event["phase"], &event["type"]),
        (&json!("start"), &json!("user.action"))
    );
    assert_eq!(
        event["info"],
        json!({"ipAddress": "198.51.100.7", "location": {"city": "Linz"}})
    );
    assert_eq!(event["actionId"], taken["action"]["id"]);
}

async fn another_tenants_log_does_not_exist(app: &TestApp) {
    story(app).await;
    let path = take(app, ban(NOON + 60_000)).await;
    let other = app.add_tenant("Other").await.to_string();
    let scoped = |method: Method, path: &str, body: Value| {
        app.send(
            TestRequest::with_uri(path)
                .method(method)
                .insert_header((AUTHORIZATION, KEY))
                .insert_header((CONTENT_TYPE, "application/json"))
                .insert_header(("X-FusionAuth-TenantId", other.as_str()))
                .set_payload(body.to_string()),
        )
    };
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(
            scoped(method, &path, json!({"action": {}})).await.status,
            404
        );
    }
    assert_eq!(
        scoped(
            Method::GET,
            &format!("/api/user/action?userId={ACTIONEE}"),
            json!({})
        )
        .await
        .status,
        404
    );
    assert_eq!(
        scoped(Method::POST, "/api/user/action", ban(NOON + 1))
            .await
            .codes(),
        [
            "[invalid]action.actioneeUserId",
            "[invalid]action.actionerUserId"
        ]
    );
}
