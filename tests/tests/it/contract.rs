//! Requests as the documentation of the interface shows them, and as old clients send
//! them, are honoured to the letter.

use beadle_tests::{Client, TestApp, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use crate::scene::{now, text, user};

beadle_tests::both_backends!(
    a_definition_is_answered_as_it_was_given,
    a_patch_appends_merges_or_edits_by_its_media_type,
    a_reason_is_answered_as_it_was_given,
    instants_survive_what_clients_make_of_them,
    members_that_nobody_knows_are_ignored,
    a_prevented_login_says_by_what,
);

const BAN: &str = "00000000-0000-0000-0000-0000000000ba";

/// The four templates that the sample names.
async fn templates(client: &Client) {
    for number in 1..=4 {
        let body = json!({"emailTemplate": {
            "name": format!("Template {number}"),
            "defaultSubject": "Subject",
            "defaultHtmlTemplate": "<p>Text</p>",
            "defaultTextTemplate": "Text",
        }});
        let path = format!("/api/email/template/00000000-0000-0000-0000-00000000000{number}");
        client.post(&path, &body).await.ok();
    }
}

fn permanent_ban() -> Value {
    json!({
        "name": "Permanently Ban",
        "localizedNames": {"de": "Dauerhaft Verbieten"},
        "temporal": true,
        "preventLogin": true,
        "sendEndEvent": true,
        "includeEmailInEventJSON": true,
        "userEmailingEnabled": true,
        "userNotificationsEnabled": true,
        "startEmailTemplateId": "00000000-0000-0000-0000-000000000004",
        "modifyEmailTemplateId": "00000000-0000-0000-0000-000000000003",
        "cancelEmailTemplateId": "00000000-0000-0000-0000-000000000001",
        "endEmailTemplateId": "00000000-0000-0000-0000-000000000002",
        "options": [
            {"name": "Nicely", "localizedNames": {"de": "Schön"}},
            {"name": "Meanly", "localizedNames": {"de": "Bedeuten"}},
        ],
    })
}

/// Whatever was sent is in the answer, unchanged.
#[track_caller]
fn assert_honoured(sent: &Value, answered: &Value) {
    for (name, value) in sent.as_object().unwrap() {
        assert_eq!(&answered[name], value, "{name} in {answered:#}");
    }
    assert_eq!(answered["insertInstant"], answered["lastUpdateInstant"]);
    assert!(answered["id"].is_string(), "{answered:#}");
}

async fn a_definition_is_answered_as_it_was_given(db: TestDatabase) {
    let app = TestApp::start(db).await;
    templates(&app.client).await;
    let body = json!({"userAction": permanent_ban()});
    let answer = app.client.post("/api/user-action", &body).await.ok();
    assert_honoured(&body["userAction"], &answer["userAction"]);
    assert_eq!(answer["userAction"]["active"], true);
    let path = format!("/api/user-action/{}", text(&answer, "/userAction/id"));
    assert_eq!(app.client.get(&path).await.ok(), answer);
}

async fn a_patch_appends_merges_or_edits_by_its_media_type(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let path = format!("/api/user-action/{BAN}");
    let body = json!({"userAction": {"name": "Ban", "options": [{"name": "A"}, {"name": "B"}]}});
    app.client.post(&path, &body).await.ok();
    let merge = "application/merge-patch+json";
    let edit = "application/json-patch+json";
    let option = |name: &str| json!({"userAction": {"options": [{"name": name}]}});
    for (media_type, patch, expected) in [
        ("application/json", option("C"), vec!["A", "B", "C"]),
        (merge, option("D"), vec!["D"]),
        (
            edit,
            json!([
                {"op": "test", "path": "/userAction/name", "value": "Ban"},
                {"op": "add", "path": "/userAction/options/0", "value": {"name": "E"}},
            ]),
            vec!["E", "D"],
        ),
    ] {
        let client = app.client.with("content-type", media_type);
        let answer = client.patch(&path, &patch).await.ok();
        let options = answer["userAction"]["options"].as_array().unwrap();
        let names: Vec<&str> = options.iter().map(|option| text(option, "/name")).collect();
        assert_eq!(names, expected, "{media_type}");
    }
    let again = app.client.patch(&path, &option("E")).await;
    again.must_be(400);
    assert_eq!(
        again.error_codes(),
        ["[duplicate]userAction.options[2].name"]
    );
    let test = json!([{"op": "test", "path": "/userAction/name", "value": "Bun"}]);
    let client = app.client.with("content-type", edit);
    let failed = client.patch(&path, &test).await;
    assert_eq!(failed.error_codes(), ["[JSONPatchTestFailed]"]);
}

async fn a_reason_is_answered_as_it_was_given(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let body = json!({"userActionReason": {
        "code": "FRAC",
        "text": "Community rules infraction",
        "localizedTexts": {"de": "Verstoß gegen die Regeln"},
    }});
    let answer = app.client.post("/api/user-action-reason", &body).await.ok();
    assert_honoured(&body["userActionReason"], &answer["userActionReason"]);
}

/// Defines a ban, and returns who may take it upon whom.
async fn people(client: &Client) -> (String, String) {
    let body = json!({"userAction": {"name": "Ban", "temporal": true, "preventLogin": true}});
    let path = format!("/api/user-action/{BAN}");
    client.post(&path, &body).await.ok();
    let admin = user(client, "Richard", &[]).await;
    (admin, user(client, "Gilfoyle", &[]).await)
}

async fn instants_survive_what_clients_make_of_them(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (admin, reader) = people(&app.client).await;
    for (sent, stored) in [
        // As JavaScript writes the largest one, as it is, as text, and one below it.
        ("9223372036854776000", i64::MAX),
        ("9223372036854775807", i64::MAX),
        ("\"9223372036854775807\"", i64::MAX),
        ("8223372036854775806", 8_223_372_036_854_775_806),
        ("4000000000000.9", 4_000_000_000_000),
        ("1e300", i64::MAX),
    ] {
        let body = format!(
            r#"{{"action": {{"actioneeUserId": "{reader}", "actionerUserId": "{admin}",
                "userActionId": "{BAN}", "expiry": {sent}}}}}"#
        );
        let call = app
            .client
            .try_send(Method::POST, "/api/user/action", Some(body.into()));
        let answer = call.await.unwrap().ok();
        assert_eq!(answer["action"]["expiry"].as_i64(), Some(stored), "{sent}");
    }
}

async fn members_that_nobody_knows_are_ignored(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (admin, reader) = people(&app.client).await;
    let body = json!({
        "log": {"x": 1},
        "action": {
            "action": {"deep": [1, {}]}, "actionee": "somebody", "id": "no UUID",
            "actioneeUserId": reader.to_uppercase(), "actionerUserId": admin,
            "userActionId": BAN, "expiry": now() + 60_000, "insertInstant": 1,
        },
    });
    let answer = app.client.post("/api/user/action", &body).await.ok();
    assert_eq!(text(&answer, "/action/actioneeUserId"), reader);
    assert_ne!(answer["action"]["insertInstant"], 1);
}

async fn a_prevented_login_says_by_what(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (admin, reader) = people(&app.client).await;
    let expiry = now() + 60_000;
    let body = json!({"action": {
        "actioneeUserId": reader, "actionerUserId": admin, "userActionId": BAN, "expiry": expiry,
    }});
    app.client.post("/api/user/action", &body).await.ok();
    let login = json!({
        "loginId": "gilfoyle@piedpiper.example",
        "password": "a long enough password",
    });
    let refused = app.client.post("/api/login", &login).await.must_be(409);
    let expected = json!({"actions": [{
        "actionId": BAN, "actionerUserId": admin, "expiry": expiry,
        "localizedName": "Ban", "name": "Ban",
    }]});
    assert_eq!(refused, expected);
}
