//! What the API says of itself is true: of its routes, of what is sent to it and answered,
//! and of the events.

mod document;

use std::collections::BTreeSet;

use beadle_tests::{Client, Reply, TestApp, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use crate::endpoints::{ENDPOINTS, Endpoint, Key, Stock};
use crate::scene::{HOUR, SOON, now, reason, register_webhook, reward, subscription, taking};
use crate::scene::{text, user};
use document::{Document, close, errors};

beadle_tests::on_backend!(sqlite Sqlite:
    the_description_has_the_endpoints_of_the_list_and_no_others,
    what_is_sent_and_answered_is_as_described,
    events_of_every_phase_are_as_described,
    the_page_lets_nothing_else_in,
);

/// The paths of an endpoint: with and without the Id that may be left out.
fn paths(endpoint: &Endpoint) -> BTreeSet<String> {
    BTreeSet::from([endpoint.short_path().to_owned(), endpoint.long_path()])
}

async fn the_description_has_the_endpoints_of_the_list_and_no_others(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let document = Document::of(&app.client).await;
    let described: BTreeSet<(String, String)> = document
        .operations()
        .map(|(method, path, _)| (method, path.to_owned()))
        .collect();
    let listed = ENDPOINTS.iter().flat_map(|endpoint| {
        let paths = paths(endpoint).into_iter();
        paths.map(|path| (endpoint.method.to_owned(), path))
    });
    assert_eq!(described, listed.collect());
    for endpoint in ENDPOINTS {
        check_statuses(&document, endpoint);
        check_key(&document, endpoint);
    }
}

fn operations<'a>(document: &'a Document, endpoint: &Endpoint) -> Vec<&'a Value> {
    let paths = paths(endpoint);
    document
        .operations()
        .filter(|(method, path, _)| *method == endpoint.method && paths.contains(*path))
        .map(|(_, _, operation)| operation)
        .collect()
}

/// The statuses that the list names are those which are the operation's own.
fn check_statuses(document: &Document, endpoint: &Endpoint) {
    let words = endpoint.answers.split([' ', ',']);
    let listed: BTreeSet<&str> = words
        .filter(|word| word.len() == 3 && word.chars().all(|char| char.is_ascii_digit()))
        .collect();
    let described: BTreeSet<&str> = operations(document, endpoint)
        .iter()
        .flat_map(|operation| operation["responses"].as_object().unwrap())
        .filter(|(_, answer)| answer.get("$ref").is_none())
        .map(|(status, _)| status.as_str())
        .collect();
    assert_eq!(described, listed, "{endpoint:?}");
}

fn check_key(document: &Document, endpoint: &Endpoint) {
    let expected = match endpoint.key {
        Key::Needed => Value::Null,
        Key::Manager => json!([{"managerKey": []}]),
        Key::Usually => json!([{"key": []}, {}]),
        Key::None => json!([]),
    };
    for operation in operations(document, endpoint) {
        assert_eq!(operation["security"], expected, "{endpoint:?}");
    }
}

/// Members that nothing in this test sends or answers, or not every time: nobody checks them
/// here.
const UNMET: &[&str] = &[
    "APIKeyInput.key",
    "ApplicationRoleInput.id",
    "ApplicationRoleInput.isSuperRole",
    "Delivery.leaseEndInstant",
    "Delivery.leaseOwner",
    "Delivery.predecessorId",
    "Delivery.settleInstant",
    "Delivery.throttledUntilInstant",
    "DeliveryAttempt.responseExcerpt",
    "DeliveryAttempt.statusCode",
    "DeliveryFailure.statusCode",
    "Email.replyTo",
    "EmailTemplateDraftInput.localizedFromNames",
    "EmailTemplateDraftInput.localizedHtmlTemplates",
    "EmailTemplateDraftInput.localizedTextTemplates",
    "EmailConfiguration.dkim",
    "EmailConfiguration.listUnsubscribe",
    "EmailConfigurationInput.dkim",
    "EmailConfigurationInput.listUnsubscribe",
    "EventLog.id",
    "EventLog.insertInstant",
    "EventLog.message",
    "EventLog.type",
    "GenerateKeyInput.kid",
    "ImportKeyInput.secret",
    "JWK.e",
    "JWK.n",
    "SendFailure.parseErrors",
    "SendFailure.renderErrors",
    "Suppression.address",
    "Suppression.deliveryId",
    "Suppression.expirationInstant",
    "Suppression.insertInstant",
    "Suppression.reason",
    "Suppression.statusCode",
    "Suppression.tenantId",
    "Webhook.disabledInstant",
    "Webhook.disabledReason",
    "Webhook.sslCertificate",
    "Webhook.sslCertificateKeyId",
    "WebhookInput.signingSecret",
    "WebhookInput.sslCertificate",
    "WebhookInput.sslCertificateKeyId",
    "WebhookPublicKey.expirationInstant",
    "WebhookPublicKey.id",
    "WebhookPublicKey.insertInstant",
    "WebhookPublicKey.publicKey",
    "WebhookPublicKey.type",
    "WebhookSecret.publicKey",
];

async fn what_is_sent_and_answered_is_as_described(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let document = Document::of(&app.client).await;
    let stock = Stock::create(&app.client).await;
    let world = World {
        client: stock.client.clone(),
        document,
    };
    for endpoint in ENDPOINTS {
        world.try_endpoint(endpoint, &stock).await;
    }
    world.live(&app, &stock).await;
    let failures = world.document.failures.take();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    let unmet = world.document.unmet();
    // What a patch may say is what a request may.
    let unmet: Vec<&String> = unmet
        .iter()
        .filter(|member| !member.contains("Patch.") && !UNMET.contains(&member.as_str()))
        .collect();
    assert!(unmet.is_empty(), "described, but never met: {unmet:#?}");
}

/// A client whose every exchange is held against the description.
struct World {
    client: Client,
    document: Document,
}

impl World {
    /// The sample, and two mistakes before it; or a request without a body.
    async fn try_endpoint(&self, endpoint: &Endpoint, stock: &Stock) {
        let operation = (endpoint.method, endpoint.long_path());
        let place = (operation.0, operation.1.as_str());
        if endpoint.path.contains('[') && endpoint.method == "GET" {
            let short = (endpoint.method, endpoint.short_path());
            self.send(short, endpoint.short_path(), None).await;
        }
        if endpoint.sample.is_empty() {
            self.send(place, &stock.path(endpoint), None).await;
            return;
        }
        let sample: Value = serde_json::from_str(&stock.sample(endpoint)).unwrap();
        for body in [
            json!({}),
            json!({"action": {}, "webhook": {}}),
            sample.clone(),
        ] {
            self.send(place, &stock.path(endpoint), Some(&body)).await;
        }
        // The others' samples have members that only a POST reads.
        let closed =
            ["POST", "PATCH"].contains(&endpoint.method) && !place.1.contains("registration/{");
        self.document.check_request(place, &sample, closed);
    }

    async fn send(&self, place: (&str, &str), path: &str, body: Option<&Value>) -> Reply {
        let method: Method = place.0.parse().unwrap();
        let client = match place.0 {
            "PATCH" => self
                .client
                .with("content-type", "application/merge-patch+json"),
            _ => self.client.clone(),
        };
        let reply = client.send(method, path, body).await;
        self.document.check_answer(place, &reply);
        reply
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.document.check_request(("POST", path), &body, true);
        self.send(("POST", path), path, Some(&body)).await
    }

    /// What only comes of something that happens.
    async fn live(&self, app: &TestApp, stock: &Stock) {
        self.deliver(app, stock).await;
        self.look_at_deliveries().await;
        self.log_in(stock).await;
    }

    /// An action with a history, and webhooks: one that is there, and one that is not.
    async fn deliver(&self, app: &TestApp, stock: &Stock) {
        register_webhook(app).await;
        let mut nobody = sample(stock, "/api/webhook");
        nobody["webhook"]["url"] = "http://127.0.0.1:1/".into();
        nobody["webhook"]["eventsEnabled"] = json!({"user.action": true});
        self.post("/api/webhook", nobody).await.ok();
        let mut taking = sample(stock, "/api/user/action");
        taking["action"]["emailUser"] = true.into();
        taking["eventInfo"] = json!({
            "data": {"a": 1}, "deviceDescription": "an old phone", "deviceName": "phone",
            "deviceType": "PHONE", "ipAddress": "192.0.2.1", "os": "none", "userAgent": "none",
            "location": {
                "city": "Bern", "country": "CH", "latitude": 46.9, "longitude": 7.4,
                "region": "BE", "zipcode": "3000"
            }
        });
        let taken = self.post("/api/user/action", taking.clone()).await.ok();
        let path = format!("/api/user/action/{}", text(&taken, "/action/id"));
        for method in ["PUT", "DELETE"] {
            let place = (method, "/api/user/action/{actionId}");
            self.send(place, &path, Some(&taking)).await.ok();
        }
        app.receiver.wait_for(3, SOON).await;
        let place = ("GET", "/api/system/webhook-event-log/search");
        let found = self.send(place, place.1, None).await.ok();
        for log in found["webhookEventLogs"].as_array().unwrap() {
            let place = ("GET", "/api/system/webhook-event-log/{webhookEventLogId}");
            let path = format!("/api/system/webhook-event-log/{}", text(log, "/id"));
            self.send(place, &path, None).await.ok();
            for attempt in log["attempts"].as_array().unwrap() {
                let place = (
                    "GET",
                    "/api/system/webhook-attempt-log/{webhookAttemptLogId}",
                );
                let path = format!("/api/system/webhook-attempt-log/{}", text(attempt, "/id"));
                self.send(place, &path, None).await.ok();
            }
        }
    }

    /// All deliveries so far.
    async fn look_at_deliveries(&self) {
        let place = ("GET", "/api/delivery/search");
        let found = self.send(place, place.1, None).await.ok();
        for delivery in found["deliveries"].as_array().unwrap() {
            let place = ("GET", "/api/delivery/{deliveryId}");
            let path = format!("/api/delivery/{}", text(delivery, "/id"));
            self.send(place, &path, None).await.ok();
        }
    }

    /// Every way that a login may end with a body.
    async fn log_in(&self, stock: &Stock) {
        let member = sample(stock, "/api/user/registration");
        let registered = self
            .post("/api/user/registration", member.clone())
            .await
            .ok();
        let mut login = json!({
            "loginId": member["user"]["username"], "password": member["user"]["password"],
            "applicationId": member["registration"]["applicationId"],
        });
        self.post("/api/login", login.clone()).await.ok();
        self.post("/api/login", login.clone()).await.ok();
        let user = sample(stock, "/api/user");
        self.post("/api/user", user.clone()).await.ok();
        login["loginId"] = user["user"]["email"].clone();
        self.post("/api/login", login.clone()).await.must_be(202);
        let mut taking = sample(stock, "/api/user/action");
        taking["action"]["actioneeUserId"] = registered["user"]["id"].clone();
        self.post("/api/user/action", taking).await.ok();
        login["loginId"] = member["user"]["username"].clone();
        self.post("/api/login", login).await.must_be(409);
    }
}

/// The sample of a POST.
fn sample(stock: &Stock, path: &str) -> Value {
    let mut endpoints = ENDPOINTS.iter();
    let endpoint = endpoints
        .find(|endpoint| endpoint.method == "POST" && endpoint.short_path() == path)
        .unwrap();
    serde_json::from_str(&stock.sample(endpoint)).unwrap()
}

async fn events_of_every_phase_are_as_described(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let stranger = app.client.without_key();
    let mut schema = stranger.get("/schemas/user.action.json").await.ok();
    close(&mut schema);
    register_webhook(&app).await;
    let (richard, gilfoyle) = (
        user(&app.client, "Richard", &["en"]).await,
        user(&app.client, "Gilfoyle", &["de"]).await,
    );
    let definition = subscription(&app.client).await;
    let mut request = taking(&definition, &richard, &gilfoyle);
    request["eventInfo"] = json!({
        "ipAddress": "192.0.2.1", "deviceName": "phone", "data": {"a": 1},
        "location": {"city": "Bern", "latitude": 46.9}
    });
    request["action"]["reasonId"] = reason(&app.client).await.into();
    request["action"]["comment"] = "Paid".into();
    request["action"]["emailUser"] = true.into();
    for end in ["modified", "canceled", "expired"] {
        let first = if end == "expired" {
            now()
        } else {
            now() + HOUR
        };
        request["action"]["expiry"] = first.into();
        let taken = app.client.post("/api/user/action", &request).await.ok();
        let path = format!("/api/user/action/{}", text(&taken, "/action/id"));
        match end {
            "modified" => app.client.put(&path, &request).await.ok(),
            "canceled" => app
                .client
                .send(Method::DELETE, &path, Some(&request))
                .await
                .ok(),
            _ => Value::Null,
        };
    }
    let survey = reward(&app.client).await;
    let request = taking(&survey, &richard, &gilfoyle);
    app.client.post("/api/user/action", &request).await.ok();

    let mut phases: Vec<String> = Vec::new();
    for received in app.receiver.wait_for(7, SOON).await {
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        let errors = errors(&Value::Null, &schema, &body);
        assert!(errors.is_empty(), "{errors:#?}\n{body:#}");
        phases.push(text(&body, "/event/phase").to_owned());
    }
    phases.sort();
    phases.dedup();
    assert_eq!(phases, ["cancel", "end", "modify", "start"]);
}

async fn the_page_lets_nothing_else_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let page = app.client.without_key().get("/docs/").await;
    assert_eq!(page.status, 200);
    let header = |name: &str| page.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "text/html;charset=UTF-8");
    let policy = header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    for (method, path, operation) in Document::of(&app.client).await.operations() {
        let id = format!("id=\"{}\"", text(operation, "/operationId"));
        assert!(page.text().contains(&id), "{method} {path}");
    }
}
