//! Two who change the same thing at the same time: neither undoes what the other did.

mod pairs;

use actix_web::http::Method;
use beadle_common::test_support::{hold_rows, until_waiting};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::error::ApiError;
use crate::test_support::{Answered, NOON, TestApp, both_databases};

use pairs::{
    API_KEY, APPLICATION, DEFINITION, REASON, REGISTER, TEMPLATE, USER, WEBHOOK,
    pairs_of_what_all_share, pairs_of_what_belongs_to_a_tenant,
};

both_databases!(
    two_changes_of_one_object_both_last,
    a_new_password_outlives_a_change_of_the_name,
    a_webhook_and_its_tenant_do_not_undo_each_other,
    a_deleted_application_stays_out_of_an_action_that_is_modified,
    rotations_at_once_leave_no_more_secrets_than_one_after_the_other,
    what_was_switched_off_or_narrowed_stays_so_under_load,
);

/// A request that changes something.
struct Change {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Change {
    async fn send(&self, app: &TestApp) -> Answered {
        let (method, body) = (self.method.clone(), self.body.clone());
        app.call(method, &self.path, body).await
    }
}

fn patch(path: &str, body: Value) -> Change {
    Change {
        method: Method::PATCH,
        path: path.to_owned(),
        body: Some(body),
    }
}

fn put(path: &str, body: Value) -> Change {
    Change {
        method: Method::PUT,
        path: path.to_owned(),
        body: Some(body),
    }
}

fn post(path: &str, body: Value) -> Change {
    Change {
        method: Method::POST,
        path: path.to_owned(),
        body: Some(body),
    }
}

fn delete(path: &str) -> Change {
    Change {
        method: Method::DELETE,
        path: path.to_owned(),
        body: None,
    }
}

/// The Id at the end of a path.
fn id_in(path: &str) -> &str {
    path.rsplit('/').next().expect("a path has parts")
}

/// Has both changes come to where they need a row of `table` before either gets one.
async fn at_once(app: &TestApp, table: &'static str, changes: [&Change; 2]) -> [Answered; 2] {
    let (is_held, held) = oneshot::channel();
    let db = app.state.db.clone();
    let holding = app.state.db.write(move |connection| {
        hold_rows(connection, table);
        is_held.send(()).map_err(|()| ApiError::Conflict)?;
        until_waiting(&db, connection, 2);
        Ok::<_, ApiError>(())
    });
    let changing = async {
        held.await.expect("the rows are held");
        join(changes[0].send(app), changes[1].send(app)).await
    };
    let (released, (first, second)) = join(holding, changing).await;
    released.expect("the rows are let go");
    [first, second]
}

/// One of everything that can be changed.
async fn furnish(app: &TestApp) {
    let body = json!({"user": {"username": "rita", "password": "password"}});
    app.post(USER, body).await.ok();
    let roles = json!([{"name": "reader"}, {"name": "editor"}]);
    let body = json!({"application": {"name": "Forum", "roles": roles}});
    app.post(APPLICATION, body).await.ok();
    let body = json!({"registration": {"applicationId": id_in(APPLICATION), "roles": ["editor"]}});
    app.post(REGISTER, body).await.ok();
    let endpoints = json!({"/api/user": ["GET"], "/api/tenant": ["GET"]});
    let body = json!({"apiKey": {"name": "Support", "permissions": {"endpoints": endpoints}}});
    app.post(API_KEY, body).await.ok();
    let body = json!({"webhook": {"url": "https://receiver.example/", "connectTimeout": 1000, "readTimeout": 1000}});
    app.post(WEBHOOK, body).await.ok();
    let body = json!({"emailTemplate": {"name": "Welcome", "defaultSubject": "Hi",
        "defaultHtmlTemplate": "<p>Hi</p>", "defaultTextTemplate": "Hi"}});
    app.post(TEMPLATE, body).await.ok();
    let body = json!({"userAction": {"name": "Ban", "temporal": true}});
    app.post(DEFINITION, body).await.ok();
    let body = json!({"userActionReason": {"code": "SPAM", "text": "Spam"}});
    app.post(REASON, body).await.ok();
}

async fn two_changes_of_one_object_both_last(app: &TestApp) {
    furnish(app).await;
    let tenant: &str = format!("/api/tenant/{}", app.tenant).leak();
    let pairs = pairs_of_what_belongs_to_a_tenant(tenant);
    for pair in pairs.into_iter().chain(pairs_of_what_all_share()) {
        let [first, second] = &pair.changes;
        for answer in at_once(app, pair.table, [first, second]).await {
            assert_eq!(answer.status, 200, "{}: {}", pair.table, answer.body);
        }
        let now = app.get(pair.shown).await.ok();
        for (pointer, value) in &pair.expected {
            assert_eq!(now.pointer(pointer), Some(value), "{}: {now}", pair.table);
        }
    }
}

async fn a_new_password_outlives_a_change_of_the_name(app: &TestApp) {
    furnish(app).await;
    let changes = [
        patch(USER, json!({"user": {"password": "another password"}})),
        patch(USER, json!({"user": {"firstName": "Rita"}})),
    ];
    for answer in at_once(app, "users", [&changes[0], &changes[1]]).await {
        answer.ok();
    }
    for (password, status) in [("password", 404), ("another password", 200)] {
        let login = json!({"loginId": "rita", "password": password});
        assert_eq!(app.post("/api/login", login).await.status, status);
    }
    assert_eq!(app.get(USER).await.ok()["user"]["firstName"], "Rita");
}

async fn a_webhook_and_its_tenant_do_not_undo_each_other(app: &TestApp) {
    furnish(app).await;
    let tenant = format!("/api/tenant/{}", app.tenant);
    let tied = json!({"tenant": {"name": "Hooli"}, "webhookIds": [id_in(WEBHOOK)]});
    let named = json!({"webhook": {"description": "A receiver"}});
    let changes = [patch(&tenant, tied), patch(WEBHOOK, named)];
    for answer in at_once(app, "webhooks", [&changes[0], &changes[1]]).await {
        answer.ok();
    }
    let webhook = app.get(WEBHOOK).await.ok();
    assert_eq!(webhook["webhook"]["tenantIds"], json!([app.tenant]));
    assert_eq!(webhook["webhook"]["description"], "A receiver");
}

async fn a_deleted_application_stays_out_of_an_action_that_is_modified(app: &TestApp) {
    furnish(app).await;
    let taken = json!({"action": {
        "actioneeUserId": id_in(USER), "actionerUserId": id_in(USER),
        "userActionId": id_in(DEFINITION), "applicationIds": [id_in(APPLICATION)],
        "expiry": NOON + 1000,
    }});
    let taken = app.post("/api/user/action", taken).await.ok();
    let path = format!(
        "/api/user/action/{}",
        taken["action"]["id"].as_str().unwrap()
    );
    let longer = json!({"action": {"actionerUserId": id_in(USER), "expiry": NOON + 2000}});
    let changes = [
        delete(&format!("{APPLICATION}?hardDelete=true")),
        put(&path, longer),
    ];
    for answer in at_once(app, "action_logs", [&changes[0], &changes[1]]).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let now = app.get(&path).await.ok();
    assert_eq!(now["action"]["applicationIds"], json!([]));
    assert_eq!(now["action"]["expiry"], NOON + 2000);
}

async fn rotations_at_once_leave_no_more_secrets_than_one_after_the_other(app: &TestApp) {
    furnish(app).await;
    let rotate = post(&format!("{WEBHOOK}/secret/rotate"), json!({}));
    for _ in 0..2 {
        rotate.send(app).await.ok();
    }
    let answers = at_once(app, "webhooks", [&rotate, &rotate]).await;
    let mut statuses = answers.map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let live = app.get(&format!("{WEBHOOK}/secret")).await.ok();
    assert_eq!(live["secrets"].as_array().unwrap().len(), 4);
}

/// Without anybody who holds rows: whatever the order is that comes about by itself.
async fn what_was_switched_off_or_narrowed_stays_so_under_load(app: &TestApp) {
    furnish(app).await;
    let endpoints = json!({"/api/user": ["GET"], "/api/tenant": ["GET"]});
    for round in 0..20 {
        let name = format!("round {round}");
        let changes = [
            delete(USER),
            patch(USER, json!({"user": {"firstName": name}})),
            patch(
                API_KEY,
                json!({"apiKey": {"permissions": {"endpoints": {"/api/tenant": null}}}}),
            ),
            patch(API_KEY, json!({"apiKey": {"name": name}})),
        ];
        for answer in join_all(changes.iter().map(|change| change.send(app))).await {
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        let user = app.get(USER).await.ok();
        assert_eq!(user["user"]["active"], false, "{user}");
        assert_eq!(user["user"]["firstName"], name.as_str(), "{user}");
        let key = app.get(API_KEY).await.ok();
        assert_eq!(
            key["apiKey"]["permissions"]["endpoints"],
            json!({"/api/user": ["GET"]})
        );
        assert_eq!(key["apiKey"]["name"], name.as_str());
        put(&format!("{USER}?reactivate=true"), json!({}))
            .send(app)
            .await
            .ok();
        let wide = json!({"apiKey": {"name": name, "permissions": {"endpoints": endpoints}}});
        put(API_KEY, wide).send(app).await.ok();
    }
}
