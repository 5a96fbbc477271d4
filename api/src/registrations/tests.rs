//! Promises of `/api/user/registration`.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_support::{KEY, NOON, TestApp, both_databases};

both_databases!(
    a_user_is_registered_and_shows_it,
    user_and_registration_come_in_one_request,
    all_mistakes_are_reported_at_once,
    a_registration_is_changed,
    a_registration_goes_with_its_user_or_application,
    several_tenants_are_told_apart_by_the_application,
);

const ID: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const USER: &str = "/api/user/9af67e9a-8332-4c06-971c-463b6710c340";
const REGISTER: &str = "/api/user/registration/9af67e9a-8332-4c06-971c-463b6710c340";
const FORUM: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";
const REGISTRATION: &str = "/api/user/registration/9af67e9a-8332-4c06-971c-463b6710c340/3c219e58-ed0e-4b18-ad48-f4f92793ae32";

async fn rita(app: &TestApp) {
    let user = json!({"username": "rita", "password": "password"});
    app.post(USER, json!({ "user": user })).await.ok();
}

async fn forum(app: &TestApp) {
    let roles = json!([{"name": "reader", "isDefault": true}, {"name": "editor"}]);
    let forum = json!({"application": {"name": "Forum", "roles": roles}});
    app.post(&format!("/api/application/{FORUM}"), forum)
        .await
        .ok();
}

async fn a_user_is_registered_and_shows_it(app: &TestApp) {
    rita(app).await;
    forum(app).await;
    let given = json!({"registration": {
        "applicationId": FORUM, "roles": [" editor ", "editor"], "username": "Rita",
        "preferredLanguages": ["de-at"], "timezone": "Europe/Vienna", "data": {"a": 1},
    }});
    let answer = app.post(REGISTER, given).await.ok();
    let registration = answer["registration"].clone();
    let id = registration["id"].as_str().unwrap();
    assert_eq!(
        registration,
        json!({
            "applicationId": FORUM, "data": {"a": 1}, "id": id, "insertInstant": NOON,
            "lastUpdateInstant": NOON, "preferredLanguages": ["de_AT"], "roles": ["editor"],
            "timezone": "Europe/Vienna", "tokens": {}, "username": "Rita", "usernameStatus": "ACTIVE",
            "verified": true,
        })
    );
    let user = app.get(USER).await.ok();
    assert_eq!(user["user"]["registrations"], json!([registration]));
    assert_eq!(answer["user"], user["user"]);
    assert_eq!(
        app.get(REGISTRATION).await.ok(),
        json!({ "registration": registration })
    );
    assert_eq!(app.delete(REGISTRATION).await.status, 200);
    assert_eq!(app.delete(REGISTRATION).await.status, 404);
    assert_eq!(app.get(REGISTRATION).await.status, 404);
    assert_eq!(app.get(USER).await.ok()["user"]["registrations"], json!([]));
}

async fn user_and_registration_come_in_one_request(app: &TestApp) {
    forum(app).await;
    let both = |name: &str| {
        json!({
            "user": {"username": name, "password": "password"},
            "registration": {"applicationId": FORUM},
        })
    };
    let answer = app.post(REGISTER, both("rita")).await.ok();
    assert_eq!(answer["user"]["id"], json!(ID));
    assert_eq!(answer["registration"]["roles"], json!(["reader"]));
    let other = app.post("/api/user/registration", both("rolf")).await.ok();
    assert_ne!(other["user"]["id"], json!(ID));
    let login = json!({"loginId": "rolf", "password": "password", "applicationId": FORUM});
    let login = app.post("/api/login", login).await.ok();
    assert_eq!(
        login["user"]["registrations"][0]["lastLoginInstant"],
        json!(NOON)
    );
    assert_eq!(
        app.post(REGISTER, both("rita")).await.codes(),
        ["[duplicate]registration", "[duplicate]userId"]
    );
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    rita(app).await;
    forum(app).await;
    let register = |registration: Value| json!({ "registration": registration });
    let path = "/api/user/registration";
    assert_eq!(
        app.post(path, json!({})).await.codes(),
        ["[missing]registration", "[missing]user"]
    );
    assert_eq!(
        app.post(REGISTER, register(json!({}))).await.codes(),
        ["[missing]registration.applicationId"]
    );
    let wrong = json!({
        "applicationId": FORUM, "roles": ["king"], "timezone": "Mars/Base", "data": 7,
    });
    assert_eq!(
        app.post(REGISTER, register(wrong)).await.codes(),
        [
            "[invalidJSON] on registration.data",
            "[invalid]registration.roles[0]",
            "[invalidJSON] on registration.timezone",
        ]
    );
    let nobody = format!("{path}/{FORUM}");
    assert_eq!(
        app.post(&nobody, register(json!({"applicationId": ID})))
            .await
            .codes(),
        ["[invalid]registration.applicationId", "[invalid]userId"]
    );
    assert_eq!(
        app.post(&format!("{path}/x"), json!({})).await.codes(),
        ["[couldNotConvert]userId"]
    );
    assert_eq!(
        app.get(&format!("{REGISTER}/x")).await.codes(),
        ["[couldNotConvert]applicationId"]
    );
    let unfit = json!({"user": {"password": "short"}, "registration": {"applicationId": FORUM}});
    assert_eq!(
        app.post(path, unfit).await.codes(),
        [
            "[blank]user.email",
            "[tooShort]user.password",
            "[blank]user.username"
        ]
    );
    app.delete(&format!("/api/application/{FORUM}"))
        .await
        .ok_empty();
    assert_eq!(
        app.post(REGISTER, register(json!({"applicationId": FORUM})))
            .await
            .codes(),
        ["[inactive]registration.applicationId"]
    );
    assert_eq!(app.get(path).await.status, 405);
}

async fn a_registration_is_changed(app: &TestApp) {
    rita(app).await;
    forum(app).await;
    let given = json!({"registration": {"applicationId": FORUM, "data": {"a": 1}}});
    let made = app.post(REGISTER, given.clone()).await.ok();
    assert_eq!(
        app.post(REGISTER, given).await.codes(),
        ["[duplicate]registration"]
    );
    app.advance(5);
    let patch =
        json!({"registration": {"applicationId": FORUM, "roles": ["editor"], "data": {"b": 2}}});
    let patched = app.patch(REGISTER, patch).await.ok();
    let registration = &patched["registration"];
    assert_eq!(registration["roles"], json!(["reader", "editor"]));
    assert_eq!(registration["data"], json!({"a": 1, "b": 2}));
    assert_eq!(registration["id"], made["registration"]["id"]);
    assert_eq!(registration["insertInstant"], json!(NOON));
    assert_eq!(registration["lastUpdateInstant"], json!(NOON + 5));
    let put = json!({"registration": {"roles": []}});
    let put = app.put(REGISTRATION, put).await.ok();
    assert_eq!(put["registration"]["roles"], json!([]));
    assert_eq!(put["registration"]["data"], json!({}));
    assert_eq!(
        app.put(REGISTER, json!({"registration": {}})).await.codes(),
        ["[missing]registration.applicationId"]
    );
}

async fn a_registration_goes_with_its_user_or_application(app: &TestApp) {
    rita(app).await;
    forum(app).await;
    let given = json!({"registration": {"applicationId": FORUM}});
    app.post(REGISTER, given.clone()).await.ok();
    app.delete(&format!("/api/application/{FORUM}?hardDelete=true"))
        .await
        .ok_empty();
    assert_eq!(app.get(REGISTRATION).await.status, 404);
    forum(app).await;
    app.post(REGISTER, given).await.ok();
    app.delete(&format!("{USER}?hardDelete=true"))
        .await
        .ok_empty();
    rita(app).await;
    assert_eq!(app.get(REGISTRATION).await.status, 404);
}

async fn several_tenants_are_told_apart_by_the_application(app: &TestApp) {
    forum(app).await;
    let other = app.add_tenant("Other").await.to_string();
    let both = json!({
        "user": {"username": "rita", "password": "password"},
        "registration": {"applicationId": FORUM},
    });
    let scoped = |path: &str| {
        app.send(
            TestRequest::with_uri(path)
                .method(Method::POST)
                .insert_header((AUTHORIZATION, KEY))
                .insert_header((CONTENT_TYPE, "application/json"))
                .insert_header(("X-FusionAuth-TenantId", other.clone()))
                .set_payload(both.to_string()),
        )
    };
    assert_eq!(
        scoped(REGISTER).await.codes(),
        ["[invalid]registration.applicationId"]
    );
    let nowhere = json!({"user": {"username": "rita", "password": "password"}, "registration": {}});
    assert_eq!(
        app.post(REGISTER, nowhere).await.codes(),
        ["[TenantIdRequired]"]
    );
    let made = app.post(REGISTER, both.clone()).await.ok();
    assert_eq!(made["user"]["tenantId"], json!(app.tenant));
    let login = json!({"loginId": "rita", "password": "password"});
    assert_eq!(
        app.post("/api/login", login).await.codes(),
        ["[TenantIdRequired]"]
    );
    let login = json!({"loginId": "rita", "password": "password", "applicationId": FORUM});
    assert_eq!(app.post("/api/login", login).await.status, 200);
}
