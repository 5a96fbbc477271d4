//! An application over a temporary database of either kind, and a client for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{Bytes, Data};
use beadle_common::db::{Json, JsonText, Wake};
use beadle_common::id::{ApiKeyId, TenantId};
use beadle_common::lifecycle::Setup;
use beadle_common::model::api_key::{ApiKey, Endpoints};
use beadle_common::model::email::Mailbox;
use beadle_common::model::tenant::Tenant;
use beadle_common::seal::Sealer;
use beadle_common::test_support::TestDb;
use beadle_common::unix_millis::UnixMillis;
use beadle_worker::{ConsentClient, Metrics, WorkerSettings};
use futures_util::stream;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::action_logs::ActionBatcher;
use crate::app::app;
use crate::error::ApiError;
use crate::state::{Settings, State};

/// What the clock of a [`TestApp`] shows at first.
pub(crate) const NOON: i64 = 1_690_000_000_000;

/// The key that may do everything, and manage keys.
pub(crate) const KEY: &str = "test-key";

/// The application, its database, and its clock.
pub(crate) struct TestApp {
    pub(crate) state: Data<State>,
    pub(crate) batcher: Data<ActionBatcher>,
    pub(crate) tenant: TenantId,
    clock: Arc<AtomicI64>,
    _database: TestDb,
}

/// An answer: its status, and its body if it has one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answered {
    /// The body of an answer that has to be a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// An answer that has to be a success without a body.
    #[track_caller]
    pub(crate) fn ok_empty(self) {
        assert_eq!((self.status, self.body), (200, Value::Null));
    }

    /// The codes of an answer that has to be a refusal: field codes sorted by path, then
    /// general ones.
    #[track_caller]
    pub(crate) fn codes(self) -> Vec<String> {
        assert_eq!(self.status, 400, "{}", self.body);
        let fields = self.body["fieldErrors"].as_object().expect("field errors");
        let general = self.body["generalErrors"]
            .as_array()
            .expect("general errors");
        let code = |problem: &Value| problem["code"].as_str().expect("a code").to_owned();
        let of_field = |(path, problems): (&String, &Value)| -> Vec<String> {
            let problems = problems.as_array().expect("a list").iter().map(code);
            problems
                .map(|code| {
                    if code == "[invalidJSON]" {
                        format!("{code} on {path}")
                    } else {
                        code
                    }
                })
                .collect()
        };
        fields
            .iter()
            .flat_map(of_field)
            .chain(general.iter().map(code))
            .collect()
    }
}

/// An array with so many others within each other.
pub(crate) fn nested(levels: usize) -> Value {
    (0..levels).fold(json!([]), |inner, _| json!([inner]))
}

/// A key without limits; tests change what they are about.
pub(crate) fn api_key(key: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId::random(),
        key_hash: ApiKey::hash(key),
        key_sealed: None,
        name: Some(key.to_owned()),
        name_normalized: Some(key.to_owned()),
        tenant_id: None,
        permissions: None,
        key_manager: false,
        retrievable: false,
        expiration_instant: None,
        meta_data: JsonText::empty_object(),
        insert_instant: UnixMillis::from_millis(NOON),
        last_update_instant: UnixMillis::from_millis(NOON),
    }
}

/// What a key may do, for tests.
pub(crate) fn endpoints(path: &str, methods: &[&str]) -> Option<Json<Endpoints>> {
    let methods = methods.iter().map(|method| (*method).to_owned()).collect();
    Some(Json(Endpoints::from([(path.to_owned(), methods)])))
}

fn tenant(id: TenantId, name: &str, is_default: bool) -> Tenant {
    let event_configuration =
        json!({"events": {"user.action": {"enabled": true, "transactionType": "None"}}});
    Tenant {
        id,
        name: name.to_owned(),
        name_normalized: name.to_lowercase(),
        is_default,
        data: JsonText::empty_object(),
        email_configuration: Json(Map::new()),
        smtp_password: None,
        event_configuration: Json(event_configuration.as_object().expect("an object").clone()),
        settings: Json(Map::new()),
        insert_instant: UnixMillis::from_millis(NOON),
        last_update_instant: UnixMillis::from_millis(NOON),
    }
}

/// The defaults, but receivers on this machine may be reached.
fn worker_settings() -> WorkerSettings {
    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        settings: WorkerSettings,
    }
    let arguments = ["test", "--webhook-allow", "127.0.0.0/8"];
    let command = <Command as clap::Parser>::try_parse_from(arguments);
    command.expect("the arguments are right").settings
}

impl TestApp {
    pub(crate) async fn on(database: TestDb) -> Self {
        let db = database.db.clone();
        let id = TenantId::random();
        db.write(move |connection| {
            tenant(id, "Default", true).insert(connection)?;
            ApiKey {
                key_manager: true,
                ..api_key(KEY)
            }
            .insert(connection)?;
            Ok::<_, ApiError>(())
        })
        .await
        .expect("the first rows are written");
        let sealer = Sealer::from_keys(&SecretString::from("00".repeat(32))).expect("a key");
        let wake = Wake::new(&db);
        let clock = Arc::new(AtomicI64::new(NOON));
        let hand = Arc::clone(&clock);
        let mail_from = Mailbox {
            address: "no-reply@localhost".to_owned(),
            display: None,
        };
        let setup = Setup {
            mail_from,
            base_url: None,
        };
        let metrics = Metrics::new().expect("metrics");
        let consent_client = ConsentClient::new(
            &worker_settings(),
            setup.clone(),
            sealer.clone(),
            metrics.clone(),
        )
        .expect("the defaults");
        let settings = Settings::default();
        let state = State::new(db, sealer, wake, consent_client, setup, settings, metrics);
        let state = state.expect("metrics of requests");
        let state = State {
            clock: Arc::new(move || UnixMillis::from_millis(hand.load(Ordering::SeqCst))),
            ..state
        };
        Self {
            batcher: Data::new(ActionBatcher::new(&state)),
            state: Data::new(state),
            tenant: id,
            clock,
            _database: database,
        }
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    /// The hand of the clock, for whoever moves it while something else goes on.
    pub(crate) fn hand(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.clock)
    }

    /// Adds a tenant.
    pub(crate) async fn add_tenant(&self, name: &str) -> TenantId {
        let (id, name) = (TenantId::random(), name.to_owned());
        self.state
            .db
            .write(move |connection| {
                Ok::<_, ApiError>(tenant(id, &name, false).insert(connection)?)
            })
            .await
            .expect("the tenant is written");
        id
    }

    /// Adds a key.
    pub(crate) async fn add_key(&self, key: ApiKey) {
        self.state
            .db
            .write(move |connection| Ok::<_, ApiError>(key.insert(connection)?))
            .await
            .expect("the key is written");
    }

    /// Sends a request, as it is.
    pub(crate) async fn send(&self, request: TestRequest) -> Answered {
        Self::send_within(&self.state, &self.batcher, request).await
    }

    /// The same, to an application with this state.
    pub(crate) async fn send_to(state: &Data<State>, request: TestRequest) -> Answered {
        let batcher = Data::new(ActionBatcher::new(state));
        Self::send_within(state, &batcher, request).await
    }

    async fn send_within(
        state: &Data<State>,
        batcher: &Data<ActionBatcher>,
        request: TestRequest,
    ) -> Answered {
        let service = init_service(app(state.clone(), batcher.clone())).await;
        Self::answered(call_service(&service, request.to_request()).await).await
    }

    /// Sends a request with the key whose body comes after `meanwhile`.
    pub(crate) async fn call_late(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        meanwhile: impl Future<Output = ()> + 'static,
    ) -> Answered {
        let body = Bytes::from(body.to_string());
        let request = TestRequest::with_uri(path)
            .method(method)
            .insert_header((AUTHORIZATION, KEY))
            .insert_header((CONTENT_TYPE, "application/json"))
            .insert_header((CONTENT_LENGTH, body.len()));
        let late = stream::once(async move {
            meanwhile.await;
            Ok::<_, PayloadError>(body)
        });
        let payload: Payload = Payload::Stream {
            payload: Box::pin(late),
        };
        let (request, _) = request.to_request().replace_payload(payload);
        let service = init_service(app(self.state.clone(), self.batcher.clone())).await;
        Self::answered(call_service(&service, request).await).await
    }

    async fn answered(response: ServiceResponse<impl MessageBody>) -> Answered {
        let status = response.status();
        let is_json = response.headers().get(CONTENT_TYPE).is_some();
        let bytes = to_bytes(response.into_body())
            .await
            .map_err(|_| "no body")
            .expect("a body");
        let has_errors = [StatusCode::BAD_REQUEST, StatusCode::CONFLICT].contains(&status);
        assert!(is_json || !has_errors, "{status} without an errors object");
        assert_eq!(
            is_json,
            !bytes.is_empty(),
            "a content type without a body, or the reverse"
        );
        let body = if is_json {
            serde_json::from_slice(&bytes).expect("JSON")
        } else {
            Value::Null
        };
        Answered {
            status: status.as_u16(),
            body,
        }
    }

    /// What is counted so far.
    pub(crate) async fn metrics(&self) -> String {
        let (metrics, db) = (&self.state.metrics, &self.state.db);
        let text = metrics.show(db, (self.state.clock)()).await;
        text.expect("metrics are text")
    }

    /// Sends a request with the key, and a body of this media type.
    pub(crate) async fn send_as(
        &self,
        media: &str,
        method: Method,
        path: &str,
        body: String,
    ) -> Answered {
        let request = TestRequest::with_uri(path)
            .method(method)
            .insert_header((AUTHORIZATION, KEY))
            .insert_header((CONTENT_TYPE, media))
            .set_payload(body);
        self.send(request).await
    }

    /// Sends a JSON Patch.
    pub(crate) async fn json_patch(&self, path: &str, operations: Value) -> Answered {
        let media = "application/json-patch+json";
        self.send_as(media, Method::PATCH, path, operations.to_string())
            .await
    }

    /// Sends a request with the key, and a body if there is one.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answered {
        let mut request = TestRequest::with_uri(path)
            .method(method)
            .insert_header((AUTHORIZATION, KEY));
        if let Some(body) = body {
            let body = body.to_string();
            request = request
                .insert_header((CONTENT_TYPE, "application/json"))
                .insert_header((CONTENT_LENGTH, body.len()))
                .set_payload(body);
        }
        self.send(request).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answered {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answered {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answered {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answered {
        self.call(Method::DELETE, path, None).await
    }
}

/// `on_both_databases!` for `async fn name(app: &TestApp)`.
macro_rules! both_databases {
    ($($name:ident),+ $(,)?) => {
        beadle_common::on_both_databases!(
            #[actix_web::test] async |test| &$crate::test_support::TestApp::on(test).await; $($name),+
        );
    };
}
pub(crate) use both_databases;
