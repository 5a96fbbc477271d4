//! What was put is what is shown, and what is shown can be put again.

use actix_web::http::header::AUTHORIZATION;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_support::{KEY, TestApp, both_databases};

both_databases!(a_get_after_a_put_returns_what_was_put);

const ID: &str = "5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10";

/// A path, and a body that is stored as it is: names are trimmed, Ids sorted.
async fn nouns(app: &TestApp) -> Vec<(&'static str, Value)> {
    let sample = json!({"emailTemplate": {
        "name": "Used", "defaultSubject": "s", "defaultHtmlTemplate": "h", "defaultTextTemplate": "t",
    }});
    let template = app.post("/api/email/template", sample).await.ok();
    let template = template["emailTemplate"]["id"].clone();
    let key = json!({"key": {"name": "Signs", "algorithm": "EdDSA"}});
    let key = app.post("/api/key/generate", key).await.ok()["key"]["id"].clone();
    let lock = json!({"userAction": {"name": "Lock", "temporal": true, "preventLogin": true}});
    let lock = app.post("/api/user-action", lock).await.ok()["userAction"]["id"].clone();
    let mut tenants = [app.tenant, app.add_tenant("Other").await];
    tenants.sort_unstable();
    let data = json!({"a": [null, {"b": 1.5}], "c": null, "": "x"});
    vec![
        (
            "/api/user-action-reason",
            json!({"userActionReason": {
                "code": "R", "text": "Reason", "localizedTexts": {"de": "Grund", "fr_CA": "Motif"},
            }}),
        ),
        (
            "/api/email/template",
            json!({"emailTemplate": {
                "name": "Mail", "fromEmail": "news@piedpiper.example", "defaultFromName": "Pied Piper",
                "defaultSubject": "{{event.localizedAction}}", "defaultHtmlTemplate": "<p>{{user.firstName}}</p>",
                "defaultTextTemplate": "a\nb", "localizedFromNames": {"de": "Pied Piper"},
                "localizedSubjects": {"de": "Betreff"}, "localizedHtmlTemplates": {"de": "<p>Hallo</p>"},
                "localizedTextTemplates": {},
            }}),
        ),
        (
            "/api/user-action",
            json!({"userAction": {
                "name": "Ban", "localizedNames": {"de": "Sperre", "pt_BR": "Banir"}, "temporal": true,
                "preventLogin": true, "sendEndEvent": false, "includeEmailInEventJSON": true,
                "userEmailingEnabled": true, "userNotificationsEnabled": true,
                "startEmailTemplateId": template, "modifyEmailTemplateId": template,
                "cancelEmailTemplateId": template, "endEmailTemplateId": template,
                "options": [{"name": "B", "localizedNames": {"de": "Nett"}}, {"name": "A"}],
                "tenantIds": [tenants[1], tenants[0]], "transactionType": "Any",
            }}),
        ),
        (
            "/api/webhook",
            json!({"webhook": {
                "url": "https://hooks.example/a?b#c", "description": "A hook", "connectTimeout": 1000,
                "readTimeout": 2000, "global": true, "tenantIds": tenants,
                "eventsEnabled": {"user.action": true, "user.create": false},
                "headers": {"X-Colour": "red", "a": "1"}, "httpAuthenticationUsername": "me",
                "httpAuthenticationPassword": "secret", "data": data, "rateLimit": 5, "orderedBy": "user",
                "signatureConfiguration": {"enabled": true, "signingKeyId": key},
                "sslCertificate": "-----BEGIN", "sslCertificateKeyId": key,
                "contactEmail": "ops@piedpiper.example",
            }}),
        ),
        (
            "/api/tenant",
            json!({"tenant": {
                "name": "Tenant", "data": data, "issuer": "piedpiper.example", "themeId": ID,
                "emailConfiguration": {
                    "host": "mail.example", "port": 587, "security": "TLS", "username": "me",
                    "defaultFromEmail": "news@piedpiper.example", "defaultFromName": "Pied Piper",
                    "additionalHeaders": [{"name": "X-Colour", "value": "red"}], "debug": true,
                    "rateLimit": 20, "listUnsubscribe": "https://a.example/{{user.id}}",
                    "dkim": {"domain": "a.example", "selector": "s", "keyId": key}, "verifyEmail": false,
                },
                "eventConfiguration": {
                    "events": {"user.action": {"enabled": true, "transactionType": "SuperMajority"}},
                },
                "failedAuthenticationConfiguration": {
                    "userActionId": lock, "tooManyAttempts": 6, "resetCountInSeconds": 61,
                    "actionDuration": 4, "actionDurationUnit": "YEARS", "emailUser": true,
                    "actionCancelPolicy": {"onPasswordReset": true},
                },
            }}),
        ),
        (
            "/api/application",
            json!({"application": {
                "name": "App", "data": data, "baseURL": "https://piedpiper.example",
                "loginConfiguration": {"requireAuthentication": false, "allowTokenRefresh": true},
                "roles": [{
                    "id": ID, "name": "editor", "description": "edits", "isDefault": true, "isSuperRole": false,
                }],
            }}),
        ),
        (
            "/api/api-key",
            json!({"apiKey": {
                "name": "Key", "permissions": {"endpoints": {"/api/user": [], "/api/user-action": ["POST", "GET"]}},
                "expirationInstant": 4_000_000_000_000_i64, "metaData": {"attributes": {"description": "x", "n": 1}},
            }}),
        ),
        (
            "/api/user",
            json!({"user": {
                "email": "erlich@piedpiper.example", "username": "Erlich", "firstName": "Erlich",
                "middleName": "B", "lastName": "Bachman", "fullName": "Erlich Bachman",
                "imageUrl": "https://piedpiper.example/erlich.png", "mobilePhone": "555-0100",
                "parentEmail": "parent@piedpiper.example", "birthDate": "1980-02-29",
                "timezone": "Europe/Berlin", "expiry": i64::MAX, "preferredLanguages": ["fr", "de_CH"],
                "data": data,
            }, "sendSetPasswordEmail": true}),
        ),
    ]
}

/// What the answer has of the members that were put.
fn of(answer: &Value, wrapper: &str, body: &Value) -> Value {
    let members = body[wrapper].as_object().unwrap().keys();
    let shown = members.map(|member| (member.clone(), answer[wrapper][member].clone()));
    shown.collect()
}

async fn a_get_after_a_put_returns_what_was_put(app: &TestApp) {
    for (path, body) in nouns(app).await {
        let wrapper = body
            .as_object()
            .unwrap()
            .keys()
            .find(|key| *key != "sendSetPasswordEmail")
            .unwrap();
        let path = format!("{path}/{ID}");
        let create = TestRequest::post()
            .uri(&path)
            .insert_header((AUTHORIZATION, KEY))
            .insert_header(("X-FusionAuth-TenantId", app.tenant.to_string()))
            .set_json(&body);
        let create = app.send(create).await.ok();
        assert_eq!(of(&create, wrapper, &body), body[wrapper], "POST {path}");
        for put in [body.clone(), app.get(&path).await.ok()] {
            let answer = app.put(&path, put).await.ok();
            assert_eq!(of(&answer, wrapper, &body), body[wrapper], "PUT {path}");
            assert_eq!(app.get(&path).await.ok(), answer, "GET {path}");
        }
    }
}
