//! Promises of `/api/email/send`.

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::id::EmailId;
use beadle_common::model::api_key::ApiKey;
use beadle_common::model::email::EmailRow;
use beadle_common::outbox::{self, Kind, Payload};
use beadle_common::test_support::claim_request;
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::test_support::{Answered, NOON, TestApp, api_key, both_databases};

const TEMPLATE: &str = "/api/email/template/0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21";
const SEND: &str = "/api/email/send/0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21";
const NOBODY: &str = "2f1c1f0e-7d3c-4c86-b8a4-3d1f6a7a2c55";

both_databases!(
    everybody_gets_a_mail_in_their_language,
    whose_mail_cannot_be_rendered_is_told_apart,
    all_mistakes_are_reported_at_once,
    an_application_is_of_the_recipients_tenant,
    several_tenants_want_one_named,
    a_locked_key_mails_its_own_users,
    users_with_much_data_are_mailed_in_several_requests,
    one_request_owes_a_bounded_number_of_deliveries,
    the_mails_of_one_request_are_bounded_together,
    everybody_in_a_large_request_gets_a_mail,
);

async fn prepare(app: &TestApp, subject: &str) {
    let template = json!({"emailTemplate": {
        "name": "News", "fromEmail": "news@piedpiper.example", "defaultFromName": "Pied Piper",
        "defaultSubject": subject, "defaultHtmlTemplate": "<p>{{requestData.offer}}</p>",
        "defaultTextTemplate": "{{default user.firstName \"you\"}} {{tenant.name}}",
        "localizedSubjects": {"de": "Neues {{requestData.offer}}"},
    }});
    app.post(TEMPLATE, template).await.ok();
}

async fn user(app: &TestApp, email: Option<&str>, language: &str) -> Value {
    let user = json!({"user": {
        "email": email, "username": email.is_none().then_some("nomail"), "password": "password",
        "firstName": "Ada", "lastName": "Reader", "preferredLanguages": [language],
    }});
    app.post("/api/user", user).await.ok()["user"]["id"].clone()
}

/// What is owed: each mail with its recipients.
async fn queued(app: &TestApp) -> Vec<(EmailRow, Vec<String>)> {
    let claimed = app.state.write(move |connection| {
        let request = claim_request(Kind::Email, UnixMillis::from_millis(NOON), 1_000);
        let mut owed: Vec<(EmailId, String)> = Vec::new();
        loop {
            let claimed = outbox::claim(connection, &request)?;
            if claimed.is_empty() {
                break;
            }
            for claimed in claimed {
                if let Payload::Email(email, recipient) = claimed.payload {
                    owed.push((email, recipient));
                }
            }
        }
        owed.sort();
        let mut ids: Vec<EmailId> = owed.iter().map(|(id, _)| *id).collect();
        ids.dedup();
        let mut rows = EmailRow::load(connection, &ids)?;
        rows.sort_by_key(|row| row.id);
        let with = |row: EmailRow| {
            let mine = owed.iter().filter(|(id, _)| *id == row.id);
            let recipients = mine.map(|(_, recipient)| recipient.clone()).collect();
            (row, recipients)
        };
        Ok::<_, ApiError>(rows.into_iter().map(with).collect())
    });
    claimed.await.unwrap()
}

fn accepted(answered: Answered) -> Value {
    assert_eq!(answered.status, 202, "{}", answered.body);
    answered.body
}

async fn everybody_gets_a_mail_in_their_language(app: &TestApp) {
    prepare(app, "News {{requestData.offer}}").await;
    let reader = user(app, Some("reader@example.com"), "de").await;
    let sent = app.post(SEND, json!({
        "userIds": [reader, reader],
        "toAddresses": [
            {"address": "guest@example.com", "display": "Guest"},
            {"address": "Guest@example.com"},
        ],
        "ccAddresses": ["copy@example.com", "copy@example.com"], "bccAddresses": ["GUEST@example.com"],
        "preferredLanguages": ["fr"], "requestData": {"offer": "<free>"},
    }));
    assert_eq!(accepted(sent.await), json!({}));
    let mails = queued(app).await;
    let [(first, to_first), (second, to_second)] = mails.as_slice() else {
        panic!("two mails, not {}", mails.len());
    };
    assert_eq!(
        (
            first.subject.as_str(),
            first.html.as_str(),
            first.text.as_str()
        ),
        ("Neues <free>", "<p>&lt;free&gt;</p>", "Ada Default")
    );
    assert_eq!(
        (second.subject.as_str(), second.text.as_str()),
        ("News <free>", "you Default")
    );
    assert_eq!(
        json!(first.to_addresses.0),
        json!([{"address": "reader@example.com", "display": "Ada Reader"}])
    );
    assert_eq!(
        json!(second.to_addresses.0),
        json!([{"address": "guest@example.com", "display": "Guest"}])
    );
    assert_eq!(first.from_address, "news@piedpiper.example");
    assert_eq!((json!(first.user_id), second.user_id), (reader, None));
    assert_eq!(
        to_first,
        &[
            "GUEST@example.com",
            "copy@example.com",
            "reader@example.com"
        ]
    );
    // Named twice, but owed once.
    assert_eq!(to_second, &["copy@example.com", "guest@example.com"]);
}

async fn whose_mail_cannot_be_rendered_is_told_apart(app: &TestApp) {
    prepare(app, "{{duration requestData.offer}}").await;
    let reader = user(app, Some("reader@example.com"), "de").await;
    let sent = app.post(
        SEND,
        json!({
            "userIds": [reader], "toAddresses": [{"address": "guest@example.com"}],
            "requestData": {"offer": "soon"},
        }),
    );
    let answer = accepted(sent.await);
    let faults = &answer["anonymousResults"]["guest@example.com"];
    assert_eq!(faults["parseErrors"], json!({}));
    let fault = faults["renderErrors"]["subject"].as_str().unwrap();
    assert!(fault.contains("duration"), "{fault}");
    assert!(answer.get("results").is_none());
    let mails = queued(app).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].0.subject, "Neues soon");
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    assert_eq!(app.post(SEND, json!({})).await.status, 404);
    prepare(app, "News").await;
    let mute = user(app, None, "de").await;
    for nobody in [json!({}), json!({"userIds": [], "toAddresses": [null]})] {
        assert_eq!(app.post(SEND, nobody).await.codes(), ["[missing]userIds"]);
    }
    let wrong = json!({
        "userIds": [mute, NOBODY, "x"], "toAddresses": [{"address": "nobody"}, {"display": "B"}],
        "ccAddresses": ["nobody"], "bccAddresses": "a@example.com", "preferredLanguages": ["x!"],
        "requestData": [], "applicationId": NOBODY,
    });
    assert_eq!(
        app.post(SEND, wrong).await.codes(),
        [
            "[invalid]applicationId",
            "[invalidJSON] on bccAddresses",
            "[notEmail]ccAddresses[0]",
            "[invalidJSON] on preferredLanguages",
            "[invalidJSON] on requestData",
            "[notEmail]toAddresses[0].address",
            "[blank]toAddresses[1].address",
            "[invalid]userIds[0]",
            "[invalid]userIds[1]",
            "[invalidJSON] on userIds[2]",
        ]
    );
    let copies: Vec<String> = (0..21).map(|n| format!("c{n}@example.com")).collect();
    let many = json!({"toAddresses": [{"address": "a@example.com"}], "ccAddresses": copies});
    assert_eq!(app.post(SEND, many).await.codes(), ["[tooMany]ccAddresses"]);
    assert!(queued(app).await.is_empty());
    assert_eq!(app.get(SEND).await.status, 405);
    assert_eq!(
        app.post("/api/email/send/7", json!({})).await.codes(),
        ["[couldNotConvert]emailTemplateId"]
    );
    assert_eq!(
        app.post("/api/email/send", json!({})).await.codes(),
        ["[missing]emailTemplateId"]
    );
}

/// A request limited to a tenant.
async fn within(app: &TestApp, tenant: &str, path: &str, body: Value) -> Answered {
    let request = TestRequest::post()
        .uri(path)
        .insert_header((AUTHORIZATION, crate::test_support::KEY))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header(("X-FusionAuth-TenantId", tenant))
        .set_payload(body.to_string());
    app.send(request).await
}

async fn an_application_is_of_the_recipients_tenant(app: &TestApp) {
    prepare(app, "{{application.name}}").await;
    let reader = user(app, Some("reader@example.com"), "en").await;
    let other = app.add_tenant("Other").await.to_string();
    let mut applications = Vec::new();
    for tenant in [app.tenant.to_string(), other] {
        let application = json!({"application": {"name": "News"}});
        let made = within(app, &tenant, "/api/application", application)
            .await
            .ok();
        applications.push(made["application"]["id"].clone());
    }
    let order = |application: &Value| json!({"userIds": [reader], "applicationId": application});
    assert_eq!(
        app.post(SEND, order(&applications[1])).await.codes(),
        ["[invalid]applicationId"]
    );
    accepted(app.post(SEND, order(&applications[0])).await);
    assert_eq!(queued(app).await[0].0.subject, "News");
}

async fn several_tenants_want_one_named(app: &TestApp) {
    prepare(app, "News").await;
    let other = app.add_tenant("Other").await.to_string();
    let order = json!({"toAddresses": [{"address": "guest@example.com"}]});
    assert_eq!(
        app.post(SEND, order.clone()).await.codes(),
        ["[TenantIdRequired]"]
    );
    accepted(within(app, &other, SEND, order).await);
    assert_eq!(queued(app).await[0].0.text, "you Other");
}

async fn a_locked_key_mails_its_own_users(app: &TestApp) {
    prepare(app, "News").await;
    let reader = user(app, Some("reader@example.com"), "en").await;
    let other = app.add_tenant("Other").await;
    for (key, tenant, status) in [("own", app.tenant, 202), ("other", other, 400)] {
        app.add_key(ApiKey {
            tenant_id: Some(tenant),
            ..api_key(key)
        })
        .await;
        let request = TestRequest::post()
            .uri(SEND)
            .insert_header((AUTHORIZATION, key))
            .insert_header((CONTENT_TYPE, "application/json"))
            .set_payload(json!({"userIds": [reader]}).to_string());
        assert_eq!(app.send(request).await.status, status, "{key}");
    }
}

fn addresses(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| json!({"address": format!("reader{number}@example.com")}))
        .collect()
}

async fn one_request_owes_a_bounded_number_of_deliveries(app: &TestApp) {
    prepare(app, "News").await;
    let copies =
        |kind: &str| -> Vec<String> { (0..20).map(|n| format!("{kind}{n}@example.com")).collect() };
    let order = |readers| {
        json!({
            "toAddresses": addresses(readers),
            "ccAddresses": copies("cc"), "bccAddresses": copies("bcc"),
        })
    };
    let refused = app.post(SEND, order(49)).await;
    assert_eq!(refused.clone().codes(), ["[tooMany]toAddresses"]);
    assert!(refused.body.to_string().contains("49 mails with 40 copies"));
    assert!(queued(app).await.is_empty());
    accepted(app.post(SEND, order(48)).await);
}

async fn the_mails_of_one_request_are_bounded_together(app: &TestApp) {
    prepare(
        app,
        "{{#each requestData.rows}}{{#if this}}{{/if}}{{/each}}News",
    )
    .await;
    let mut readers = Vec::new();
    for number in 0..13 {
        readers.push(user(app, Some(&format!("r{number}@example.com")), "en").await);
    }
    // Each costs some 40,000 steps.
    let rows = json!({"rows": vec![1; 10_000], "offer": "none"});
    let order = |readers: &[Value]| json!({"userIds": readers, "requestData": rows});
    accepted(app.post(SEND, order(&readers[..3])).await);
    let refused = app.post(SEND, order(&readers)).await;
    assert_eq!(refused.clone().codes(), ["[tooMany]userIds"]);
    assert!(refused.body.to_string().contains("take too long"));
    // Those who are no users get what is rendered once, however many they are.
    let others = json!({"toAddresses": addresses(100), "requestData": rows});
    accepted(app.post(SEND, others).await);
    let large = json!({"toAddresses": addresses(100), "requestData": {
        "rows": [], "offer": "x".repeat(170_000),
    }});
    let refused = app.post(SEND, large).await;
    assert_eq!(refused.clone().codes(), ["[tooMany]userIds"]);
    assert!(
        refused
            .body
            .to_string()
            .contains("more than 16777216 bytes")
    );
}

async fn users_with_much_data_are_mailed_in_several_requests(app: &TestApp) {
    prepare(app, "News").await;
    let mut readers = Vec::new();
    for number in 0..18 {
        let user = json!({"user": {
            "email": format!("r{number}@example.com"), "password": "password",
            "data": {"much": "x".repeat(1_000_000)},
        }});
        readers.push(app.post("/api/user", user).await.ok()["user"]["id"].clone());
    }
    let refused = app.post(SEND, json!({"userIds": readers})).await;
    assert_eq!(refused.clone().codes(), ["[tooMany]userIds"]);
    accepted(app.post(SEND, json!({"userIds": readers[..9]})).await);
    assert_eq!(queued(app).await.len(), 9);
}

async fn everybody_in_a_large_request_gets_a_mail(app: &TestApp) {
    prepare(app, "News for {{default user.firstName \"you\"}}").await;
    let order = json!({
        "toAddresses": addresses(1_000), "ccAddresses": ["copy@example.com"],
        "requestData": {"offer": "none"},
    });
    assert_eq!(accepted(app.post(SEND, order).await), json!({}));
    let mails = queued(app).await;
    assert_eq!(mails.len(), 1_000);
    assert!(mails.iter().all(|(_, recipients)| recipients.len() == 2));
}
