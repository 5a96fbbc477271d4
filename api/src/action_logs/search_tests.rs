//! Promises of `/api/user/action/search`.

use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_support::{KEY, NOON, TestApp, both_databases};

both_databases!(
    logs_are_found_by_who_did_what,
    logs_are_those_of_the_scope,
    odd_criteria_are_refused,
);

const RITA: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const ROLF: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";

async fn user(app: &TestApp, id: &str, tenant: &str) {
    let user = json!({"user": {"username": id, "password": "password"}});
    let request = TestRequest::with_uri(&format!("/api/user/{id}"))
        .method(Method::POST)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header(("Content-Type", "application/json"))
        .insert_header(("X-FusionAuth-TenantId", tenant))
        .set_payload(user.to_string());
    app.send(request).await.ok();
}

async fn definition(app: &TestApp, name: &str, temporal: bool) -> Value {
    let definition = json!({"userAction": {"name": name, "temporal": temporal}});
    let made = app.post("/api/user-action", definition).await.ok();
    made["userAction"]["id"].clone()
}

async fn act(
    app: &TestApp,
    actionee: &str,
    actioner: &str,
    definition: &Value,
    expiry: i64,
) -> Value {
    app.advance(1_000);
    let action = json!({"action": {
        "actioneeUserId": actionee, "actionerUserId": actioner, "userActionId": definition,
        "expiry": expiry,
    }});
    let made = app.post("/api/user/action", action).await.ok();
    made["action"]["id"].clone()
}

async fn found(app: &TestApp, criteria: Value) -> (Vec<Value>, Value) {
    let body = json!({ "search": criteria });
    let answer = app.post("/api/user/action/search", body).await.ok();
    let actions = answer["actions"].as_array().unwrap();
    let ids = actions.iter().map(|action| action["id"].clone()).collect();
    (ids, answer["total"].clone())
}

async fn logs_are_found_by_who_did_what(app: &TestApp) {
    let tenant = app.tenant.to_string();
    user(app, RITA, &tenant).await;
    user(app, ROLF, &tenant).await;
    let (ban, gift) = (
        definition(app, "Ban", true).await,
        definition(app, "Gift", false).await,
    );
    let first = act(app, RITA, ROLF, &ban, NOON + 60_000).await;
    let second = act(app, ROLF, RITA, &ban, NOON + 1).await;
    let third = act(app, RITA, RITA, &gift, 0).await;
    let all = [third.clone(), second.clone(), first.clone()];
    for (criteria, expected) in [
        (json!({}), &all[..]),
        (json!({"userId": RITA}), &[third.clone(), first.clone()]),
        (
            json!({"actionerUserId": RITA}),
            &[third.clone(), second.clone()],
        ),
        (
            json!({"userActionId": ban}),
            &[second.clone(), first.clone()],
        ),
        (json!({"active": true}), std::slice::from_ref(&first)),
        (json!({"active": false}), &[third.clone(), second.clone()]),
        (
            json!({"start": NOON + 2_000}),
            &[third.clone(), second.clone()],
        ),
        (
            json!({"end": NOON + 2_000}),
            &[second.clone(), first.clone()],
        ),
        (
            json!({"start": NOON + 2_000, "end": NOON + 2_000, "userId": ROLF}),
            std::slice::from_ref(&second),
        ),
        (
            json!({"orderBy": "name ASC, expiry DESC"}),
            &[first.clone(), second.clone(), third.clone()],
        ),
    ] {
        let (ids, total) = found(app, criteria.clone()).await;
        assert_eq!(ids, expected, "{criteria}");
        assert_eq!(total, json!(expected.len()), "{criteria}");
    }
    let page = found(app, json!({"startRow": 1, "numberOfResults": 1})).await;
    assert_eq!(page, (vec![second], json!(3)));
    let path = "/api/user/action/search?active=true&startRow=false&orderBy=undefined&userId=";
    let answer = app.get(path).await.ok();
    let one = app
        .get(&format!("/api/user/action/{}", first.as_str().unwrap()))
        .await
        .ok();
    assert_eq!(answer, json!({"actions": [one["action"]], "total": 1}));
}

async fn logs_are_those_of_the_scope(app: &TestApp) {
    let (mine, other) = (
        app.tenant.to_string(),
        app.add_tenant("Other").await.to_string(),
    );
    user(app, RITA, &mine).await;
    user(app, ROLF, &other).await;
    let gift = definition(app, "Gift", false).await;
    act(app, RITA, ROLF, &gift, 0).await;
    let theirs = act(app, ROLF, RITA, &gift, 0).await;
    let request = TestRequest::with_uri("/api/user/action/search")
        .insert_header((AUTHORIZATION, KEY))
        .insert_header(("X-FusionAuth-TenantId", other));
    let answer = app.send(request).await.ok();
    assert_eq!(answer["total"], json!(1));
    assert_eq!(answer["actions"][0]["id"], theirs);
    assert_eq!(found(app, json!({})).await.1, json!(2));
}

async fn odd_criteria_are_refused(app: &TestApp) {
    assert_eq!(
        app.post("/api/user/action/search", json!({})).await.codes(),
        ["[missing]search"]
    );
    let wrong = json!({"search": {
        "userId": "x", "active": 1, "start": "soon", "orderBy": "comment", "numberOfResults": -1,
    }});
    assert_eq!(
        app.post("/api/user/action/search", wrong).await.codes(),
        [
            "[invalidJSON] on search.active",
            "[invalid]search.numberOfResults",
            "[invalid]search.orderBy",
            "[invalidJSON] on search.start",
            "[invalidJSON] on search.userId",
        ]
    );
    assert_eq!(
        app.get("/api/user/action/search?active=yes").await.codes(),
        ["[couldNotConvert]active"]
    );
    let wrong = "userId=x&active=maybe&start=soon&numberOfResults=many";
    let refused = app.get(&format!("/api/user/action/search?{wrong}")).await;
    assert_eq!(
        refused.codes(),
        [
            "[couldNotConvert]active",
            "[couldNotConvert]numberOfResults",
            "[couldNotConvert]start",
            "[couldNotConvert]userId",
        ]
    );
    assert_eq!(
        app.put("/api/user/action/search", json!({})).await.status,
        405
    );
}
