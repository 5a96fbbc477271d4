//! Promises of `Idempotency-Key`.

use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use beadle_common::db::{AnyConnection, Db, DbError};
use beadle_common::id::ReservationToken;
use beadle_common::model::idempotency_key::{IdempotencyKey, Reserved};
use beadle_common::model::reason::Reason;
use beadle_common::test_support::TestDb;
use serde_json::{Value, json};

use super::Reservation;
use super::reservation::Admission;
use crate::answer::Reply;
use crate::error::ApiError;
use crate::key_lookup::KeyFinder;
use crate::state::State;
use crate::test_support::{KEY, NOON, TestApp, api_key, both_databases};

const PATH: &str = "/api/user-action-reason";

both_databases!(
    a_repetition_gets_the_stored_answer_and_changes_nothing,
    a_key_belongs_to_one_request,
    a_key_is_known_by_its_caller_and_place_only,
    only_success_is_kept,
    an_equal_request_meanwhile_is_told_to_come_back,
    whoever_was_overtaken_writes_nothing,
    answers_are_unreadable_in_the_database,
    searches_and_previews_take_no_part,
    a_login_is_not_repeated_after_a_ban,
    bad_keys_are_refused,
    an_action_is_taken_once,
    strangers_learn_nothing,
    whoever_asks_for_once_while_keys_cannot_be_looked_up_gets_nothing,
);

struct Seen {
    status: u16,
    replayed: bool,
    body: Value,
}

impl Seen {
    fn code(&self) -> &str {
        self.body["generalErrors"][0]["code"].as_str().unwrap()
    }
}

async fn send(app: &TestApp, request: TestRequest) -> Seen {
    send_to(&app.state, request).await
}

async fn send_to(state: &Data<State>, request: TestRequest) -> Seen {
    let batcher = Data::new(crate::action_logs::ActionBatcher::new(state));
    let service = init_service(crate::app::app(state.clone(), batcher)).await;
    let response = call_service(&service, request.to_request()).await;
    let status = response.status().as_u16();
    let replayed = response
        .headers()
        .get("Idempotent-Replayed")
        .is_some_and(|value| value == "true");
    let Ok(bytes) = to_bytes(response.into_body()).await else {
        panic!("the body breaks off");
    };
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Seen {
        status,
        replayed,
        body,
    }
}

fn request(path: &str, key: &str, body: &Value) -> TestRequest {
    TestRequest::post()
        .uri(path)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header(("Idempotency-Key", key))
        .set_payload(body.to_string())
}

async fn post(app: &TestApp, path: &str, key: &str, body: &Value) -> Seen {
    send(app, request(path, key, body)).await
}

fn reason(code: &str) -> Value {
    json!({"userActionReason": {"code": code, "text": code}})
}

async fn reasons(app: &TestApp) -> usize {
    let count = |connection: &mut AnyConnection| Ok::<_, ApiError>(Reason::all(connection)?.len());
    app.state.read(count).await.unwrap()
}

async fn a_repetition_gets_the_stored_answer_and_changes_nothing(app: &TestApp) {
    let first = post(app, PATH, "k", &reason("A")).await;
    assert_eq!((first.status, first.replayed), (200, false));
    app.advance(23 * 60 * 60 * 1000);
    let again = post(app, PATH, "k", &reason("A")).await;
    assert_eq!((again.status, again.replayed), (200, true));
    assert_eq!(again.body, first.body);
    assert_eq!(reasons(app).await, 1);
    // A day later the key is forgotten, and the code is a duplicate as for anybody.
    app.advance(60 * 60 * 1000);
    assert_eq!(post(app, PATH, "k", &reason("A")).await.status, 400);
}

async fn a_key_belongs_to_one_request(app: &TestApp) {
    assert_eq!(post(app, PATH, "k", &reason("A")).await.status, 200);
    let other = post(app, PATH, "k", &reason("B")).await;
    assert_eq!(
        (other.status, other.code()),
        (422, "[IdempotencyKeyReused]")
    );
    let query = post(app, "/api/user-action-reason?x=1", "k", &reason("A")).await;
    assert_eq!(query.status, 422);
    assert_eq!(reasons(app).await, 1);
}

async fn a_key_is_known_by_its_caller_and_place_only(app: &TestApp) {
    app.add_key(api_key("other-key")).await;
    let tenant = app.tenant.to_string();
    assert_eq!(post(app, PATH, "k", &reason("A")).await.status, 200);
    let mut other_caller = request(PATH, "k", &reason("B"));
    other_caller = other_caller.insert_header((AUTHORIZATION, "other-key"));
    assert_eq!(send(app, other_caller).await.status, 200);
    let other_tenant =
        request(PATH, "k", &reason("C")).insert_header(("X-FusionAuth-TenantId", tenant));
    assert_eq!(send(app, other_tenant).await.status, 200);
    let other_path = format!("{PATH}/5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10");
    assert_eq!(post(app, &other_path, "k", &reason("D")).await.status, 200);
    assert_eq!(reasons(app).await, 4);
}

async fn only_success_is_kept(app: &TestApp) {
    assert_eq!(post(app, PATH, "k", &json!({})).await.status, 400);
    assert_eq!(post(app, PATH, "k", &reason("A")).await.status, 200);
    let elsewhere = "/api/webhook/5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10/secret/rotate";
    for _ in 0..2 {
        let absent = post(app, elsewhere, "k", &json!({})).await;
        assert_eq!((absent.status, absent.replayed), (404, false));
    }
}

async fn an_equal_request_meanwhile_is_told_to_come_back(app: &TestApp) {
    let first = reserve(app, b"k").await;
    let state = app.state.clone();
    let now = (state.clock)();
    let second = Reservation::make(&state, &[b"k"], &[b"x"], now).await;
    assert!(matches!(second, Err(ApiError::Conflict)));
    first.release(&state).await.unwrap();
    reserve(app, b"k").await;
    // The process that held it is gone: a minute later somebody else may try.
    app.advance(60_000);
    reserve(app, b"k").await;
}

async fn reserve(app: &TestApp, key: &[u8]) -> Reservation {
    let now = (app.state.clock)();
    match Reservation::make(&app.state, &[key], &[b"x"], now).await {
        Ok(Admission::First(reservation)) => reservation,
        other => panic!("the key is taken: {other:?}"),
    }
}

/// Whether the answer could be stored.
async fn keep(app: &TestApp, reservation: Reservation, reply: &Reply) -> bool {
    let sealed = reservation.seal(reply).unwrap();
    let store = move |connection: &mut AnyConnection| Ok(reservation.store(connection, &sealed)?);
    app.state.write(store).await.unwrap()
}

async fn whoever_was_overtaken_writes_nothing(app: &TestApp) {
    let slow = reserve(app, b"k").await;
    app.advance(60_000);
    let heir = reserve(app, b"k").await;
    assert!(!keep(app, slow, &Reply::empty()).await);
    assert!(keep(app, heir, &Reply::empty()).await);
    let now = (app.state.clock)().plus(Duration::from_secs(3600));
    let again = Reservation::make(&app.state, &[b"k"], &[b"x"], now).await;
    assert!(matches!(again, Ok(Admission::Again(reply)) if reply == Reply::empty()));
}

async fn answers_are_unreadable_in_the_database(app: &TestApp) {
    let first = reserve(app, b"k").await;
    let reply = Reply::wrapped("secret", json!("PLAINTEXT"));
    assert!(keep(app, first, &reply).await);
    let now = (app.state.clock)();
    let row = IdempotencyKey {
        id: IdempotencyKey::id_of(&[b"k"]),
        request_hash: IdempotencyKey::hash_of(&[b"x"]),
        token: ReservationToken::random(),
        answer: None,
        expiration_instant: now,
    };
    let found = app
        .state
        .write(move |connection| Ok(row.reserve(connection, now)?))
        .await
        .unwrap();
    let Reserved::Answered(sealed) = found else {
        panic!("the answer was not stored: {found:?}");
    };
    assert!(!sealed.windows(9).any(|part| part == b"PLAINTEXT"));
}

async fn searches_and_previews_take_no_part(app: &TestApp) {
    let parts = json!({"emailTemplate": {
        "name": "Hello", "fromEmail": "news@piedpiper.example", "defaultSubject": "Hello",
        "defaultTextTemplate": "Hello", "defaultHtmlTemplate": "<p>Hello</p>",
    }});
    for (path, body) in [
        (format!("{PATH}?x=1"), None),
        (
            "/api/webhook/search".to_owned(),
            Some(json!({"search": {}})),
        ),
        ("/api/user/search".to_owned(), Some(json!({"search": {}}))),
        ("/api/email/template/preview".to_owned(), Some(parts)),
    ] {
        let takes_part = body.is_none();
        let body = body.unwrap_or_else(|| reason("A"));
        assert_eq!(post(app, &path, "k", &body).await.status, 200, "{path}");
        let again = post(app, &path, "k", &body).await;
        assert_eq!((again.status, again.replayed), (200, takes_part), "{path}");
    }
}

async fn a_login_is_not_repeated_after_a_ban(app: &TestApp) {
    let user = json!({"user": {"username": "jared", "password": "password"}});
    let user = app.post("/api/user", user).await.ok();
    let login = json!({"loginId": "jared", "password": "password"});
    let first = post(app, "/api/login", "k", &login).await;
    assert_eq!((first.status, first.replayed), (200, false));
    let path = format!("/api/user/{}", user["user"]["id"].as_str().unwrap());
    assert_eq!(app.delete(&path).await.status, 200);
    let banned = post(app, "/api/login", "k", &login).await;
    assert_eq!((banned.status, banned.replayed), (423, false));
}

async fn bad_keys_are_refused(app: &TestApp) {
    let field = |seen: Seen| seen.body["fieldErrors"]["Idempotency-Key"][0]["code"].clone();
    let long = "x".repeat(256);
    let blank = post(app, PATH, " ", &reason("A")).await;
    assert_eq!(field(blank), "[blank]Idempotency-Key");
    let too_long = post(app, PATH, &long, &reason("A")).await;
    assert_eq!(field(too_long), "[tooLong]Idempotency-Key");
    let twice = request(PATH, "a", &reason("A")).append_header(("Idempotency-Key", "b"));
    assert_eq!(field(send(app, twice).await), "[invalid]Idempotency-Key");
    assert_eq!(reasons(app).await, 0);
    let longest = "x".repeat(255);
    assert_eq!(post(app, PATH, &longest, &reason("A")).await.status, 200);
}

const TAKE: &str = "/api/user/action";
const ACTIONEE: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const ACTIONER: &str = "ac2f073d-c063-4a7b-ab76-812f44ed7f55";

/// What asks for an action, with all that it needs in place.
async fn ban(app: &TestApp) -> Value {
    for id in [ACTIONEE, ACTIONER] {
        let user = json!({"user": {"username": id, "password": "password"}});
        app.post(&format!("/api/user/{id}"), user).await.ok();
    }
    let ban = json!({"userAction": {"name": "Ban", "temporal": true}});
    let definition = app.post("/api/user-action", ban).await.ok();
    json!({"action": {
        "actioneeUserId": ACTIONEE, "actionerUserId": ACTIONER, "expiry": NOON + 60_000,
        "userActionId": definition["userAction"]["id"],
    }})
}

async fn taken(app: &TestApp) -> usize {
    let logs = app.get(&format!("{TAKE}?userId={ACTIONEE}")).await;
    logs.ok()["actions"].as_array().unwrap().len()
}

async fn an_action_is_taken_once(app: &TestApp) {
    let take = ban(app).await;
    let first = post(app, TAKE, "k", &take).await;
    let again = post(app, TAKE, "k", &take).await;
    assert_eq!((first.status, first.replayed), (200, false));
    assert_eq!((again.status, again.replayed), (200, true));
    assert_eq!(again.body, first.body);
    assert_eq!(taken(app).await, 1);
}

/// A database that has just gone away.
async fn gone() -> Db {
    let database = TestDb::postgres();
    let db = database.db.clone();
    let opened = db.read(|_| Ok::<_, DbError>(())).await;
    opened.unwrap();
    db
}

/// Keys are looked up there by whoever asks for once; the action itself would look its key up
/// together with all else that it needs, from a database that has come back by then.
async fn whoever_asks_for_once_while_keys_cannot_be_looked_up_gets_nothing(app: &TestApp) {
    let take = ban(app).await;
    let asked = || {
        let length = take.to_string().len();
        request(TAKE, "k", &take).insert_header((CONTENT_LENGTH, length))
    };
    let without_keys = Data::new(State {
        keys: KeyFinder::new(gone().await),
        ..State::clone(&app.state)
    });
    let refused = send_to(&without_keys, asked()).await;
    assert_eq!(
        (refused.status, refused.code()),
        (503, "[DatabaseUnavailable]")
    );
    assert_eq!(taken(app).await, 0);
    for replayed in [false, true] {
        let answer = send(app, asked()).await;
        assert_eq!((answer.status, answer.replayed), (200, replayed));
    }
    assert_eq!(taken(app).await, 1);
}

async fn strangers_learn_nothing(app: &TestApp) {
    assert_eq!(post(app, PATH, "k", &reason("A")).await.status, 200);
    let stranger = request(PATH, "k", &reason("A")).insert_header((AUTHORIZATION, "guess"));
    assert_eq!(send(app, stranger).await.status, 401);
}
