//! What is asked for at the same time is answered as if it had been asked for alone.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::db::Json;
use beadle_common::model::api_key::ApiKey;
use beadle_common::outbox::{self, Kind};
use beadle_common::test_support::claim_request;
use beadle_common::unix_millis::UnixMillis;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::test_support::{Answered, KEY, NOON, TestApp, api_key, both_databases, endpoints};

const PATH: &str = "/api/user/action";
const RITA: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const LEAVER: &str = "0b7a4c1e-52f5-4b61-9a54-3d3c0a5f1c77";
const ADMIN: &str = "ac2f073d-c063-4a7b-ab76-812f44ed7f55";
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const BAN: &str = "b8f1cdb5-5a2c-4f0f-8f9e-1d7d0a7a3c11";
const OFF: &str = "c1a6cf1a-77b9-4f21-a1b9-5d3e0a8f4b22";
const MAILING: &str = "d2b7d02b-88ca-4a32-b2ca-6e4f1b905c33";
const ASKING: &str = "e3c8e13c-99db-4b43-83db-7f502ca16d44";
const TEMPLATE: &str = "f4d9f24d-aaec-4c54-94ec-80613db27e55";

/// How many ask at the same time.
const MANY: usize = 24;

both_databases!(
    each_of_many_gets_its_own,
    who_goes_alone_gets_the_answer_of_one_who_is_alone,
    whoever_has_no_right_to_it_takes_nothing_beside_those_who_have,
    a_key_that_is_deleted_takes_nothing_from_then_on,
    what_a_key_may_counts_from_when_it_is_changed,
    an_ordered_webhook_gets_everything_in_order,
    whoever_leaves_meanwhile_harms_nobody_else,
    a_definition_that_is_switched_off_meanwhile_is_no_failure,
);

async fn world(app: &TestApp) {
    for (id, name) in [(RITA, "rita"), (LEAVER, "leaver"), (ADMIN, "admin")] {
        let email = format!("{name}@example.com");
        let user = json!({"user": {"email": email, "password": "password"}});
        app.post(&format!("/api/user/{id}"), user).await.ok();
    }
    let template = json!({"emailTemplate": {
        "name": "Mail", "fromEmail": "news@example.com", "defaultSubject": "{{event.phase}}",
        "defaultTextTemplate": "{{event.phase}}", "defaultHtmlTemplate": "{{event.phase}}",
    }});
    let path = format!("/api/email/template/{TEMPLATE}");
    app.post(&path, template).await.ok();
    for (id, definition) in [
        (BAN, json!({"name": "Ban", "temporal": true})),
        (OFF, json!({"name": "Off"})),
        (
            MAILING,
            json!({"name": "Mailing", "userEmailingEnabled": true, "startEmailTemplateId": TEMPLATE}),
        ),
        (
            ASKING,
            json!({"name": "BatchRequest", "transactionType": "AbsoluteMajority"}),
        ),
    ] {
        let path = format!("/api/user-action/{id}");
        app.post(&path, json!({ "userAction": definition }))
            .await
            .ok();
    }
    app.delete(&format!("/api/user-action/{OFF}")).await;
}

async fn add_webhook(app: &TestApp, extra: &[(&str, Value)]) {
    // Nobody listens there.
    let mut webhook = json!({
        "url": "http://127.0.0.1:9/", "global": true, "connectTimeout": 1000, "readTimeout": 1000,
        "eventsEnabled": {"user.action": true},
    });
    for (member, value) in extra {
        webhook[*member] = value.clone();
    }
    app.post("/api/webhook", json!({ "webhook": webhook }))
        .await
        .ok();
}

fn ban(actionee: &str, comment: &str) -> Value {
    json!({"broadcast": true, "action": {
        "actioneeUserId": actionee, "actionerUserId": ADMIN, "userActionId": BAN,
        "expiry": NOON + 60_000, "comment": comment,
    }})
}

/// The same, with a member of the action set, or removed if that is null.
fn with(member: &str, value: Value) -> Value {
    let mut body = ban(RITA, "odd");
    match value {
        Value::Null => drop(body["action"].as_object_mut().unwrap().remove(member)),
        value => body["action"][member] = value,
    }
    body
}

/// Asks for all of them at the same time.
async fn post_all(app: &TestApp, bodies: &[Value]) -> Vec<Answered> {
    join_all(bodies.iter().map(|body| app.post(PATH, body.clone()))).await
}

fn many() -> Vec<Value> {
    let comment = |number: usize| ban(RITA, &number.to_string());
    (0..MANY).map(comment).collect()
}

/// An answer without what differs from one to the next.
fn masked(mut answered: Answered) -> Answered {
    for member in ["/action/id", "/action/event/id", "/action/event/actionId"] {
        if let Some(id) = answered.body.pointer_mut(member) {
            *id = Value::Null;
        }
    }
    answered
}

/// Looks at everything that was written about an answered action.
async fn must_stand(app: &TestApp, answer: &Value, webhooks: usize) {
    let id = answer["action"]["id"].as_str().unwrap();
    let mut shown = app.get(&format!("{PATH}/{id}")).await.ok();
    shown["action"]["event"] = answer["action"]["event"].clone();
    assert_eq!(&shown, answer);
    let event = &answer["action"]["event"];
    assert_eq!(event["actionId"], id);
    assert_eq!(event["comment"], answer["action"]["comment"]);
    let path = format!("/api/delivery/search?actionId={id}");
    let found = app.get(&path).await.ok();
    let owed = found["deliveries"].as_array().unwrap();
    assert_eq!(owed.len(), webhooks, "{found}");
    assert!(
        owed.iter()
            .all(|delivery| delivery["eventId"] == event["id"])
    );
}

async fn each_of_many_gets_its_own(app: &TestApp) {
    world(app).await;
    add_webhook(app, &[]).await;
    add_webhook(app, &[]).await;
    let mut ids = BTreeSet::new();
    for (number, answer) in post_all(app, &many()).await.into_iter().enumerate() {
        let answer = answer.ok();
        assert_eq!(answer["action"]["comment"], json!(number.to_string()));
        must_stand(app, &answer, 2).await;
        ids.insert(answer["action"]["id"].to_string());
    }
    assert_eq!(ids.len(), MANY);
}

async fn who_goes_alone_gets_the_answer_of_one_who_is_alone(app: &TestApp) {
    world(app).await;
    add_webhook(app, &[]).await;
    let mut mailed = with("userActionId", json!(MAILING));
    mailed["action"]["emailUser"] = json!(true);
    for odd in [
        mailed,
        with("userActionId", json!(OFF)),
        with("userActionId", json!(ASKING)),
        with("userActionId", json!(NOBODY)),
        with("userActionId", Value::Null),
        with("actioneeUserId", json!(NOBODY)),
        with("actionerUserId", json!(7)),
        with("expiry", json!(NOON - 1)),
        with("reasonId", json!(NOBODY)),
        with("applicationIds", json!([NOBODY])),
        with("option", json!("None such")),
        json!({"action": []}),
    ] {
        let alone = masked(app.post(PATH, odd.clone()).await);
        let mut bodies = many();
        bodies.insert(MANY / 2, odd.clone());
        let mut answers = post_all(app, &bodies).await;
        assert_eq!(masked(answers.remove(MANY / 2)), alone, "{odd}");
        for answer in answers {
            answer.ok();
        }
    }
}

/// What differs from a request with a good key, and the status that it gets.
async fn strangers(app: &TestApp) -> Vec<(&'static str, Option<String>, u16)> {
    let other = app.add_tenant("Other").await;
    let ours = app.tenant;
    for key in [
        ApiKey {
            permissions: endpoints(PATH, &["GET"]),
            ..api_key("reader")
        },
        ApiKey {
            expiration_instant: Some(UnixMillis::from_millis(NOON)),
            ..api_key("late")
        },
        ApiKey {
            tenant_id: Some(other),
            ..api_key("elsewhere")
        },
        ApiKey {
            tenant_id: Some(ours),
            ..api_key("here")
        },
    ] {
        app.add_key(key).await;
    }
    vec![
        ("nobody's", None, 401),
        ("reader", None, 401),
        ("late", None, 401),
        // Rita is not there.
        ("elsewhere", None, 400),
        ("here", None, 200),
        ("here", Some(other.to_string()), 401),
        (KEY, Some(other.to_string()), 400),
        (KEY, Some(ours.to_string()), 200),
        (KEY, Some(NOBODY.to_owned()), 400),
        (KEY, Some("no Id".to_owned()), 400),
    ]
}

/// Bans Rita. Bodies whose length is not told wait for the key.
fn request_of(key: &str, tenant: Option<&str>, tells_length: bool) -> TestRequest {
    let body = ban(RITA, "stranger").to_string();
    let mut request = TestRequest::post()
        .uri(PATH)
        .insert_header((AUTHORIZATION, key))
        .insert_header((CONTENT_TYPE, "application/json"));
    if let Some(tenant) = tenant {
        request = request.insert_header(("X-FusionAuth-TenantId", tenant));
    }
    if tells_length {
        request = request.insert_header((CONTENT_LENGTH, body.len()));
    }
    request.set_payload(body)
}

async fn whoever_has_no_right_to_it_takes_nothing_beside_those_who_have(app: &TestApp) {
    world(app).await;
    let strangers = strangers(app).await;
    let mut taken = 0;
    for tells_length in [true, false] {
        for (key, tenant, status) in &strangers {
            let request = || request_of(key, tenant.as_deref(), tells_length);
            let alone = masked(app.send(request()).await);
            assert_eq!(alone.status, *status, "{key} {tenant:?}");
            let many = many();
            let (others, among, again) = futures_util::join!(
                post_all(app, &many),
                app.send(request()),
                app.send(request())
            );
            for other in others {
                other.ok();
            }
            assert_eq!(masked(among), alone, "{key} {tenant:?}");
            assert_eq!(masked(again), alone, "{key} {tenant:?}");
            taken += MANY + if *status == 200 { 3 } else { 0 };
        }
    }
    let found = app.get(&format!("{PATH}?userId={RITA}")).await.ok();
    assert_eq!(found["actions"].as_array().unwrap().len(), taken);
}

async fn a_key_that_is_deleted_takes_nothing_from_then_on(app: &TestApp) {
    world(app).await;
    app.add_key(api_key("leaving")).await;
    let request = || app.send(request_of("leaving", None, true));
    request().await.ok();
    let key = api_key("leaving").key_hash;
    let deleted = app.state.write(move |connection| {
        let keys = ApiKey::load_by_hash(connection, vec![key.clone()])?;
        for key in keys {
            ApiKey::delete(connection, key.id)?;
        }
        Ok::<_, ApiError>(())
    });
    deleted.await.unwrap();
    assert_eq!(request().await.status, 401);
}

async fn what_a_key_may_counts_from_when_it_is_changed(app: &TestApp) {
    world(app).await;
    app.add_key(api_key("changing")).await;
    let may_post = |may: bool| {
        let methods = vec![if may { "POST" } else { "GET" }.to_owned()];
        let permissions = BTreeMap::from([(PATH.to_owned(), methods)]);
        app.state.write(move |connection| {
            let hash = vec![ApiKey::hash("changing")];
            for mut key in ApiKey::load_by_hash(connection, hash)? {
                key.permissions = Some(Json(permissions.clone()));
                key.update(connection)?;
            }
            Ok::<_, ApiError>(())
        })
    };
    for may in [true, false, true, false] {
        may_post(may).await.unwrap();
        for _ in 0..3 {
            let answer = app.send(request_of("changing", None, true)).await;
            assert_eq!(answer.status, if may { 200 } else { 401 });
        }
    }
}

async fn an_ordered_webhook_gets_everything_in_order(app: &TestApp) {
    world(app).await;
    add_webhook(app, &[("orderedBy", json!("user"))]).await;
    for answer in post_all(app, &many()).await {
        must_stand(app, &answer.ok(), 1).await;
    }
    // One at a time: all the others wait for their predecessors.
    let now = (app.state.clock)();
    let claimed = app.state.write(move |connection| {
        let request = claim_request(Kind::Webhook, now, MANY);
        Ok::<_, ApiError>(outbox::claim(connection, &request)?)
    });
    assert_eq!(claimed.await.unwrap().len(), 1);
}

async fn whoever_leaves_meanwhile_harms_nobody_else(app: &TestApp) {
    world(app).await;
    let path = format!("/api/user/{LEAVER}?hardDelete=true");
    let (stays, leaves) = post_all_beside(app, &path).await;
    for answer in stays {
        answer.ok();
    }
    for answer in leaves {
        assert!([200, 400].contains(&answer.status), "{answer:?}");
    }
    let gone = app.post(PATH, ban(LEAVER, "late")).await;
    assert_eq!(gone.codes(), ["[invalid]action.actioneeUserId"]);
}

/// Acts upon both users at the same time, while something is deleted.
async fn post_all_beside(app: &TestApp, deleted: &str) -> (Vec<Answered>, Vec<Answered>) {
    let upon = |user: &str| -> Vec<Value> { (0..MANY).map(|_| ban(user, "now")).collect() };
    let (stays, leaves) = (upon(RITA), upon(LEAVER));
    let (stays, deleted, leaves) = futures_util::join!(
        post_all(app, &stays),
        app.delete(deleted),
        post_all(app, &leaves)
    );
    deleted.ok_empty();
    (stays, leaves)
}

async fn a_definition_that_is_switched_off_meanwhile_is_no_failure(app: &TestApp) {
    world(app).await;
    let path = format!("/api/user-action/{BAN}");
    let (stays, leaves) = post_all_beside(app, &path).await;
    for answer in stays.into_iter().chain(leaves) {
        assert!([200, 400].contains(&answer.status), "{answer:?}");
    }
    let late = app.post(PATH, ban(RITA, "late")).await;
    assert_eq!(late.codes(), ["[inactive]action.userActionId"]);
}
