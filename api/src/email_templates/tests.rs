//! Promises of `/api/email/template`.

use serde_json::{Value, json};

use crate::test_support::{NOON, TestApp, both_databases};

const ID: &str = "0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21";
const PATH: &str = "/api/email/template/0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21";

both_databases!(
    a_template_lives_from_creation_to_deletion,
    all_mistakes_are_reported_at_once,
    a_template_in_use_stays,
    templates_are_found_by_name,
    a_preview_shows_what_is_right_and_tells_what_is_wrong,
    a_preview_without_a_locale_shows_the_defaults,
    what_cannot_be_read_has_no_preview,
    every_text_is_tried_before_it_is_saved,
    the_texts_of_a_template_are_bounded_together,
    trying_the_texts_of_a_request_takes_a_bounded_time,
);

fn welcome() -> Value {
    json!({
        "name": "Welcome", "fromEmail": "news@piedpiper.example", "defaultFromName": "Pied Piper",
        "defaultSubject": "Hi {{user.firstName}}", "defaultHtmlTemplate": "<p>Hi</p>",
        "defaultTextTemplate": "Hi\r\nthere", "localizedSubjects": {"de": "Hallo"},
    })
}

async fn a_template_lives_from_creation_to_deletion(app: &TestApp) {
    let created = app
        .post(PATH, json!({"emailTemplate": welcome()}))
        .await
        .ok();
    assert_eq!(
        created,
        json!({"emailTemplate": {
            "defaultFromName": "Pied Piper", "defaultHtmlTemplate": "<p>Hi</p>",
            "defaultSubject": "Hi {{user.firstName}}", "defaultTextTemplate": "Hi\nthere",
            "fromEmail": "news@piedpiper.example", "id": ID, "insertInstant": NOON,
            "lastUpdateInstant": NOON, "localizedFromNames": {}, "localizedHtmlTemplates": {},
            "localizedSubjects": {"de": "Hallo"}, "localizedTextTemplates": {}, "name": "Welcome",
        }})
    );
    assert_eq!(app.get(PATH).await.ok(), created);
    app.advance(1);
    let patch = json!({"emailTemplate": {"localizedSubjects": {"fr": "Salut"}, "fromEmail": null}});
    let patched = app.patch(PATH, patch).await.ok();
    assert_eq!(
        patched["emailTemplate"]["localizedSubjects"],
        json!({"de": "Hallo", "fr": "Salut"})
    );
    assert!(patched["emailTemplate"].get("fromEmail").is_none());
    let list = app.get("/api/email/template").await.ok();
    assert_eq!(list["emailTemplates"], json!([patched["emailTemplate"]]));
    assert_eq!(app.delete(PATH).await.status, 200);
    assert_eq!(app.delete(PATH).await.status, 404);
    assert_eq!(
        app.get("/api/email/template").await.ok(),
        json!({"emailTemplates": []})
    );
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    app.post(PATH, json!({"emailTemplate": welcome()}))
        .await
        .ok();
    let wrong = json!({"emailTemplate": {
        "name": "WELCOME", "fromEmail": "nobody", "defaultSubject": "{{#if}", "defaultHtmlTemplate": " ",
        "localizedTextTemplates": {"de": "{{"}, "localizedSubjects": {"xx_x": "a"},
        "defaultFromName": "x".repeat(65_536),
    }});
    assert_eq!(
        app.post("/api/email/template", wrong).await.codes(),
        [
            "[tooLong]emailTemplate.defaultFromName",
            "[blank]emailTemplate.defaultHtmlTemplate",
            "[invalid]emailTemplate.defaultSubject",
            "[blank]emailTemplate.defaultTextTemplate",
            "[notEmail]emailTemplate.fromEmail",
            "[invalidJSON] on emailTemplate.localizedSubjects",
            "[invalid]emailTemplate.localizedTextTemplates",
            "[duplicate]emailTemplate.name",
        ]
    );
    assert_eq!(
        app.post("/api/email/template", json!({})).await.codes(),
        ["[missing]emailTemplate"]
    );
}

async fn a_template_in_use_stays(app: &TestApp) {
    app.post(PATH, json!({"emailTemplate": welcome()}))
        .await
        .ok();
    let action = json!({"userAction": {"name": "Welcome", "startEmailTemplateId": ID}});
    let action = app.post("/api/user-action", action).await.ok();
    assert_eq!(app.delete(PATH).await.codes(), ["[inUse]emailTemplateId"]);
    let id = action["userAction"]["id"].as_str().unwrap();
    assert_eq!(
        app.delete(&format!("/api/user-action/{id}?hardDelete=true"))
            .await
            .status,
        200
    );
    assert_eq!(app.delete(PATH).await.status, 200);
}

async fn templates_are_found_by_name(app: &TestApp) {
    for name in ["Welcome", "Farewell", "Ban"] {
        let mut template = welcome();
        template["name"] = json!(name);
        app.post("/api/email/template", json!({ "emailTemplate": template }))
            .await
            .ok();
    }
    let found = app.get("/api/email/template/search?name=wel").await.ok();
    assert_eq!(found["total"], 2);
    let body = json!({"search": {"name": "*e*", "orderBy": "name DESC", "numberOfResults": 1}});
    let found = app.post("/api/email/template/search", body).await.ok();
    assert_eq!(
        (&found["total"], &found["emailTemplates"][0]["name"]),
        (&json!(2), &json!("Welcome"))
    );
}

const PREVIEW: &str = "/api/email/template/preview";

async fn a_preview_shows_what_is_right_and_tells_what_is_wrong(app: &TestApp) {
    let draft = json!({
        "locale": "de_CH",
        "emailTemplate": {
            "fromEmail": "news@piedpiper.example", "defaultFromName": "{{tenant.name}}",
            "defaultSubject": "Hi {{user.firstName}}",
            "defaultHtmlTemplate": "<p>{{user.firstName}}</p>\n{{user.nickname}}",
            "localizedSubjects": {"de": "Hallo {{user.firstName}}"},
            "localizedTextTemplates": {"de": "{{#if}}"},
        },
    });
    let answer = app.post(PREVIEW, draft).await.ok();
    assert_eq!(
        answer["email"],
        json!({
            "attachments": [], "bcc": [], "cc": [],
            "from": {"address": "news@piedpiper.example", "display": "Pied Piper"},
            "subject": "Hallo Richard", "to": [],
        })
    );
    let faults = answer["errors"]["fieldErrors"].as_object().unwrap();
    let paths: Vec<&str> = faults.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "emailTemplate.defaultHtmlTemplate",
            "emailTemplate.localizedTextTemplates"
        ]
    );
    let fault = &faults["emailTemplate.defaultHtmlTemplate"][0];
    assert_eq!(fault["code"], "[invalid]emailTemplate.defaultHtmlTemplate");
    let message = fault["message"].as_str().unwrap();
    assert!(message.starts_with("line 2"), "{message}");
    assert_eq!(answer["errors"]["generalErrors"], json!([]));
}

async fn a_preview_without_a_locale_shows_the_defaults(app: &TestApp) {
    let draft = json!({"emailTemplate": {
        "defaultSubject": "Hi {{user.firstName}}{{requestData.code}}", "defaultTextTemplate": "{{datetime event.expiry}}",
        "localizedSubjects": {"en": "Hello"},
    }});
    let answer = app.post(PREVIEW, draft).await.ok();
    assert_eq!(answer["email"]["subject"], "Hi Richard");
    assert_eq!(
        answer["email"]["from"],
        json!({"address": "no-reply@localhost"})
    );
    assert!(!answer["email"]["text"].as_str().unwrap().is_empty());
    assert!(answer["email"].get("html").is_none());
    assert_eq!(
        answer["errors"],
        json!({"fieldErrors": {}, "generalErrors": []})
    );
    assert_eq!(
        app.get("/api/email/template").await.ok(),
        json!({"emailTemplates": []})
    );
}

async fn what_cannot_be_read_has_no_preview(app: &TestApp) {
    assert_eq!(
        app.post(PREVIEW, json!({})).await.codes(),
        ["[missing]emailTemplate"]
    );
    let wrong =
        json!({"locale": "german", "emailTemplate": {"defaultSubject": 7, "fromEmail": "me"}});
    assert_eq!(
        app.post(PREVIEW, wrong).await.codes(),
        [
            "[invalidJSON] on emailTemplate.defaultSubject",
            "[notEmail]emailTemplate.fromEmail",
            "[invalidJSON] on locale",
        ]
    );
    assert_eq!(app.delete(PREVIEW).await.status, 405);
}

async fn every_text_is_tried_before_it_is_saved(app: &TestApp) {
    let mut template = welcome();
    template["defaultSubject"] = json!("{{#if user.vip}}a{{/if}}");
    template["defaultFromName"] = json!("{{sender.name}}");
    template["localizedHtmlTemplates"] =
        json!({"de": "<p>\n{{date event.comment}}</p>", "fr": "<p>"});
    template["localizedTextTemplates"] = json!({"de": "{{requestData.a.b}} {{user.data.vip}}"});
    let refused = app.post(PATH, json!({ "emailTemplate": template })).await;
    let message =
        refused.body["fieldErrors"]["emailTemplate.localizedHtmlTemplates"][0]["message"].clone();
    let message = message.as_str().unwrap();
    assert!(message.starts_with("de: line 2"), "{message}");
    assert_eq!(
        refused.codes(),
        [
            "[invalid]emailTemplate.defaultFromName",
            "[invalid]emailTemplate.defaultSubject",
            "[invalid]emailTemplate.localizedHtmlTemplates",
        ]
    );
    app.post(PATH, json!({"emailTemplate": welcome()}))
        .await
        .ok();
    let patch = json!({"emailTemplate": {"localizedSubjects": {"fr": "{{user.vip}}"}}});
    assert_eq!(
        app.patch(PATH, patch).await.codes(),
        ["[invalid]emailTemplate.localizedSubjects"]
    );
    assert_eq!(app.patch(PREVIEW, json!({})).await.status, 405);
}

/// Texts in so many languages.
fn translations(count: usize, text: &str) -> Value {
    let letters = || 'a'..='z';
    let languages = letters().flat_map(|a| letters().map(move |b| format!("q{a}{b}")));
    let texts = languages
        .take(count)
        .map(|language| (language, json!(text)));
    Value::Object(texts.collect())
}

async fn the_texts_of_a_template_are_bounded_together(app: &TestApp) {
    let mut template = welcome();
    template["localizedSubjects"] = translations(201, "Hallo");
    let refused = app
        .post(PATH, json!({"emailTemplate": template}))
        .await
        .codes();
    assert_eq!(refused, ["[tooMany]emailTemplate.localizedSubjects"]);
    template["localizedSubjects"] = translations(200, "Hallo");
    app.post(PATH, json!({"emailTemplate": template}))
        .await
        .ok();
    for (member, fits) in [
        ("localizedHtmlTemplates", true),
        ("localizedTextTemplates", false),
    ] {
        let patch = json!({"emailTemplate": {member: translations(9, &"x".repeat(65_000))}});
        let answered = app.patch(PATH, patch).await;
        match fits {
            true => drop(answered.ok()),
            false => assert_eq!(answered.codes(), ["[tooLong]emailTemplate"]),
        }
    }
}

async fn trying_the_texts_of_a_request_takes_a_bounded_time(app: &TestApp) {
    let path = "/api/email/template";
    let refusals = |template: Value| async move {
        let answered = app.post(path, json!({"emailTemplate": template})).await;
        answered.codes()
    };
    let mut template = welcome();
    let call = format!("{}\"a\"{}", "(json ".repeat(31), ")".repeat(31));
    for text in [
        "{{!}}\n".repeat(10_900),
        "{{!-- }}".repeat(8_000),
        format!("{{{{#if (eq 1 {call})}}}}{{{{/if}}}}"),
    ] {
        template["localizedHtmlTemplates"] = json!({ "de": text });
        assert_eq!(
            refusals(template.clone()).await,
            ["[invalid]emailTemplate.localizedHtmlTemplates"]
        );
    }
    template["localizedHtmlTemplates"] = json!({});
    // Each would be fine alone.
    let tags = "{{user.firstName}} and some text\n".repeat(1_500);
    for member in ["localizedHtmlTemplates", "localizedTextTemplates"] {
        template[member] = translations(10, &tags);
    }
    assert_eq!(
        refusals(template.clone()).await,
        ["[invalid]emailTemplate.localizedHtmlTemplates"]
    );
    let preview = json!({"emailTemplate": {
        "defaultSubject": "{{!}}\n".repeat(10_900), "defaultHtmlTemplate": "Hi",
    }});
    let shown = app.post("/api/email/template/preview", preview).await.ok();
    assert_eq!(shown["email"]["html"], "Hi");
    assert!(shown["errors"]["fieldErrors"]["emailTemplate.defaultSubject"].is_array());
}
