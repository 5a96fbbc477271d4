//! How much one object may hold beside its free data.

use serde_json::{Value, json};

use crate::test_support::{NOON, TestApp, both_databases};

both_databases!(
    settings_of_a_tenant_and_of_an_application_have_an_end,
    registrations_of_a_user_have_an_end,
    a_history_has_an_end_and_the_action_too,
);

const USER: &str = "9af67e9a-8332-4c06-971c-463b6710c340";

async fn user(app: &TestApp) {
    let user = json!({"user": {"username": "rita", "password": "password"}});
    app.post(&format!("/api/user/{USER}"), user).await.ok();
}

async fn settings_of_a_tenant_and_of_an_application_have_an_end(app: &TestApp) {
    let large = "x".repeat(65_000);
    let roles: Vec<Value> = (0..1000)
        .map(|number| json!({"name": format!("role {number}"), "description": "y".repeat(100)}))
        .collect();
    let application = json!({"application": {
        "name": "Forum", "data": {"text": "z".repeat(200_000)}, "roles": roles, "theme": large,
    }});
    let made = app.post("/api/application", application).await.ok();
    let path = format!(
        "/api/application/{}",
        made["application"]["id"].as_str().unwrap()
    );
    let more = json!({"application": {"more": "x".repeat(1000)}});
    assert_eq!(
        app.patch(&path, more).await.codes(),
        ["[tooLong]application"]
    );
    assert_eq!(app.get(&path).await.ok(), made);

    let path = format!("/api/tenant/{}", app.tenant);
    let theme = json!({"tenant": {"theme": large}});
    let made = app.patch(&path, theme).await.ok();
    let more = json!({"tenant": {"emailConfiguration": {"more": "x".repeat(1000)}}});
    assert_eq!(app.patch(&path, more).await.codes(), ["[tooLong]tenant"]);
    assert_eq!(app.get(&path).await.ok(), made);
}

async fn registrations_of_a_user_have_an_end(app: &TestApp) {
    user(app).await;
    let path = format!("/api/user/registration/{USER}");
    let mut applications = Vec::new();
    for name in ["one", "two", "three"] {
        let made = app
            .post("/api/application", json!({"application": {"name": name}}))
            .await
            .ok();
        applications.push(made["application"]["id"].clone());
    }
    let registration = |application: &Value, bytes: usize| {
        let data = json!({"text": "x".repeat(bytes)});
        json!({"registration": {"applicationId": application, "data": data}})
    };
    for application in &applications[..2] {
        app.post(&path, registration(application, 1_000_000))
            .await
            .ok();
    }
    let third = registration(&applications[2], 200_000);
    assert_eq!(
        app.post(&path, third).await.codes(),
        ["[tooLong]registration.data"]
    );
    app.post(&path, registration(&applications[2], 1000))
        .await
        .ok();
    // One that is replaced does not count twice.
    app.put(&path, registration(&applications[0], 1_000_000))
        .await
        .ok();
    let larger = registration(&applications[2], 200_000);
    assert_eq!(
        app.put(&path, larger).await.codes(),
        ["[tooLong]registration.data"]
    );
    let read = app.get(&format!("/api/user/{USER}")).await.ok();
    assert_eq!(read["user"]["registrations"].as_array().unwrap().len(), 3);
}

async fn a_history_has_an_end_and_the_action_too(app: &TestApp) {
    user(app).await;
    let ban = json!({"userAction": {"name": "Ban", "temporal": true}});
    let ban = app.post("/api/user-action", ban).await.ok();
    let take = json!({"action": {
        "actioneeUserId": USER, "actionerUserId": USER, "userActionId": ban["userAction"]["id"],
        "expiry": NOON + 60_000,
    }});
    let taken = app.post("/api/user/action", take).await.ok();
    let path = format!(
        "/api/user/action/{}",
        taken["action"]["id"].as_str().unwrap()
    );
    let comment = "x".repeat(65_000);
    let modify = json!({"action": {
        "actionerUserId": USER, "comment": comment, "expiry": NOON + 120_000,
    }});
    let mut modified = 0;
    let refused = loop {
        let answer = app.put(&path, modify.clone()).await;
        if answer.status != 200 {
            break answer;
        }
        modified += 1;
        assert!(modified < 30, "no end");
    };
    assert_eq!(refused.codes(), ["[invalid]actionId"]);
    assert!(modified > 16, "{modified}");
    let cancel = json!({"action": {"actionerUserId": USER}});
    let canceled = app
        .call(actix_web::http::Method::DELETE, &path, Some(cancel))
        .await
        .ok();
    let history = &canceled["action"]["history"]["historyItems"];
    assert_eq!(history.as_array().unwrap().len(), modified + 1);
}
