//! Every POST that writes stores its answer in the transaction of its effect: otherwise a
//! crash between the two would let a repetition do it twice.

use std::collections::BTreeSet;

use actix_web::HttpMessage as _;
use actix_web::body::to_bytes;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::{TestRequest, call_service, init_service};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Reservation;
use crate::app::{app, sections};
use crate::test_support::{KEY, TestApp, both_databases};

/// In batches, without one transaction: repeated, it goes on with what is left.
const EXCEPTION: &str = "/api/delivery/replay";

/// The routes of POSTs that write, each by its first path.
fn writing_routes() -> BTreeSet<String> {
    let routes = sections().into_iter().flat_map(|section| section.routes);
    let posts = routes.filter(|routes| {
        let any_post = routes.methods.iter().any(|m| m.method == Method::POST);
        routes.knows_idempotency() && any_post
    });
    posts
        .filter_map(|routes| routes.paths.into_iter().next())
        .filter(|path| path != EXCEPTION)
        .collect()
}

/// Sends requests, and knows which routes have not had one.
struct Poster<'a> {
    app: &'a TestApp,
    left: BTreeSet<String>,
}

impl Poster<'_> {
    /// Sends one that has to succeed and to store its answer; returns the answer.
    async fn post(&mut self, route: &str, path: &str, body: Value) -> Value {
        let (status, is_stored, answer) = send(self.app, path, &body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        assert!(is_stored, "{path} stored its answer after its effect");
        assert!(
            self.left.remove(route),
            "{route} is none of {:#?}",
            self.left
        );
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// One that creates an object; returns its Id.
    async fn create(&mut self, route: &str, body: Value) -> String {
        let path = route.split("/{").next().unwrap_or(route);
        let answer = self.post(route, path, body).await;
        let objects = answer.as_object().unwrap().values();
        let id = objects.filter_map(|object| object["id"].as_str()).next();
        id.unwrap().to_owned()
    }
}

async fn send(test: &TestApp, path: &str, body: &Value) -> (u16, bool, String) {
    let request = TestRequest::post()
        .uri(path)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header(("Idempotency-Key", Uuid::new_v4().to_string()))
        .set_payload(body.to_string());
    let service = init_service(app(test.state.clone(), test.batcher.clone())).await;
    let response = call_service(&service, request.to_request()).await;
    let is_stored = response
        .request()
        .extensions()
        .get::<Reservation>()
        .is_some_and(Reservation::is_stored);
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body()).await.ok().unwrap();
    (status, is_stored, String::from_utf8(body.to_vec()).unwrap())
}

async fn every_post_that_writes_stores_its_answer_with_its_effect(app: &TestApp) {
    let mut poster = Poster {
        app,
        left: writing_routes(),
    };
    let template = poster
        .create(
            "/api/email/template",
            json!({"emailTemplate": {
                "name": "Hello", "fromEmail": "news@piedpiper.example",
                "defaultSubject": "Hello", "defaultTextTemplate": "Hello",
                "defaultHtmlTemplate": "<p>Hello</p>",
            }}),
        )
        .await;
    let definition = json!({"userAction": {"name": "Reward"}});
    let definition = poster.create("/api/user-action", definition).await;
    let reason = json!({"userActionReason": {"code": "PS", "text": "Paid"}});
    poster.create("/api/user-action-reason", reason).await;
    let application = json!({"application": {"name": "Pied Piper"}});
    let application = poster.create("/api/application", application).await;
    let user = json!({"user": {"username": "jared", "password": "a long enough password"}});
    let user = poster.create("/api/user", user).await;
    poster
        .post(
            "/api/user/registration",
            &format!("/api/user/registration/{user}"),
            json!({"registration": {"applicationId": application}}),
        )
        .await;
    let action = json!({"broadcast": true, "action": {
        "userActionId": definition, "actioneeUserId": user, "actionerUserId": user,
    }});
    poster.create("/api/user/action", action).await;
    poster
        .post(
            "/api/email/send",
            &format!("/api/email/send/{template}"),
            json!({"toAddresses": [{"address": "reader@piedpiper.example"}]}),
        )
        .await;
    deliver(&mut poster).await;
    keys(&mut poster).await;
    let entry = json!({"auditLog": {"insertUser": "jared", "message": "Looked around"}});
    poster
        .post("/api/system/audit-log", "/api/system/audit-log", entry)
        .await;
    // With a second one, all others would have to choose.
    let tenant = json!({"tenant": {"name": "Hooli"}});
    poster.create("/api/tenant", tenant).await;
    assert!(poster.left.is_empty(), "not tried: {:#?}", poster.left);
}

async fn deliver(poster: &mut Poster<'_>) {
    let webhook = json!({"webhook": {
        "url": "https://hooks.example/", "connectTimeout": 1000, "readTimeout": 1000,
        "global": true, "eventsEnabled": {"user.action": true},
    }});
    let webhook = poster.create("/api/webhook", webhook).await;
    for (verb, body) in [
        ("secret/rotate", json!({"gracePeriodSeconds": 60})),
        ("enable", json!({})),
    ] {
        let route = format!("/api/webhook/{{webhookId}}/{verb}");
        let path = format!("/api/webhook/{webhook}/{verb}");
        poster.post(&route, &path, body).await;
    }
    let path = format!("/api/webhook/{webhook}/test");
    let tested = poster
        .post("/api/webhook/{webhookId}/test", &path, json!({}))
        .await;
    let delivery = tested["delivery"]["id"].as_str().unwrap();
    let path = format!("/api/delivery/{delivery}/resend");
    poster
        .post("/api/delivery/{deliveryId}/resend", &path, json!({}))
        .await;
}

async fn keys(poster: &mut Poster<'_>) {
    let key = json!({"apiKey": {"name": "A key"}});
    poster.create("/api/api-key", key).await;
    let generated = json!({"key": {"name": "Generated", "algorithm": "ES256"}});
    poster.create("/api/key/generate", generated).await;
    let imported = json!({"key": {
        "name": "Imported", "algorithm": "HS256", "secret": "a secret of more than 32 bytes, surely",
    }});
    poster.create("/api/key/import", imported).await;
}

both_databases!(every_post_that_writes_stores_its_answer_with_its_effect);
