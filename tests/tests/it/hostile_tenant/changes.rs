//! Two callers who change the same thing at the same time.

use beadle_tests::{Client, Reply, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use super::World;
use crate::scene::text;

beadle_tests::both_backends!(
    of_two_changes_at_once_none_is_lost,
    a_webhook_never_has_more_than_four_secrets,
);

/// Half of all pairs lose one where nothing is locked.
const ROUNDS: usize = 12;

/// A change, and how an object looks after it.
#[derive(Clone)]
struct Change {
    method: Method,
    /// Nothing: the object goes out of use.
    body: Option<Value>,
    /// Where the object shows it.
    shown: &'static str,
    value: Value,
}

/// Goes out of use.
fn retire(shown: &'static str) -> Change {
    Change {
        method: Method::DELETE,
        body: None,
        shown,
        value: false.into(),
    }
}

/// Sets one member, at this place of the object and of the request.
fn set(shown: &'static str, value: impl Into<Value>) -> Change {
    let value = value.into();
    let body = shown.rsplit('/').filter(|name| !name.is_empty());
    let body = body.fold(
        value.clone(),
        |inner, name| json!({name.replace("~1", "/"): inner}),
    );
    Change {
        method: Method::PATCH,
        body: Some(body),
        shown,
        value,
    }
}

/// Something that two callers change.
struct Noun {
    path: &'static str,
    body: Value,
    changes: [Change; 2],
}

fn noun(path: &'static str, body: Value, changes: [Change; 2]) -> Noun {
    Noun {
        path,
        body,
        changes,
    }
}

/// A name that nobody else has.
fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn nouns() -> Vec<Noun> {
    let name = unique;
    let permissions = "/apiKey/permissions/endpoints/~1api~1user";
    let user = json!({"user": {"username": name()}, "sendSetPasswordEmail": true});
    let key = json!({"apiKey": {
        "name": name(), "permissions": {"endpoints": {"/api/user": ["GET", "POST"]}},
    }});
    let webhook = json!({"webhook": {
        "url": "https://hooks.example/", "connectTimeout": 1000, "readTimeout": 1000,
    }});
    let template = json!({"emailTemplate": {
        "name": name(), "defaultSubject": "a", "defaultHtmlTemplate": "b",
        "defaultTextTemplate": "c",
    }});
    let reason = json!({"userActionReason": {"code": name(), "text": name()}});
    vec![
        noun(
            "/api/user",
            user,
            [retire("/user/active"), set("/user/firstName", "Erlich")],
        ),
        noun(
            "/api/user-action",
            json!({"userAction": {"name": name()}}),
            [
                retire("/userAction/active"),
                set("/userAction/name", name()),
            ],
        ),
        noun(
            "/api/application",
            json!({"application": {"name": name()}}),
            [
                retire("/application/active"),
                set("/application/name", name()),
            ],
        ),
        noun(
            "/api/api-key",
            key,
            [
                set(permissions, json!(["GET"])),
                set("/apiKey/name", name()),
            ],
        ),
        noun(
            "/api/tenant",
            json!({"tenant": {"name": name()}}),
            [
                set("/tenant/name", name()),
                set("/tenant/data/colour", "red"),
            ],
        ),
        noun(
            "/api/webhook",
            webhook,
            [
                set("/webhook/description", "a"),
                set("/webhook/data/colour", "red"),
            ],
        ),
        noun(
            "/api/email/template",
            template,
            [
                set("/emailTemplate/defaultSubject", "d"),
                set("/emailTemplate/defaultTextTemplate", "e"),
            ],
        ),
        noun(
            "/api/user-action-reason",
            reason,
            [
                set("/userActionReason/code", name()),
                set("/userActionReason/text", name()),
            ],
        ),
    ]
}

async fn of_two_changes_at_once_none_is_lost(db: TestDatabase) {
    let mut world = World::start(db).await;
    let operator = world
        .app
        .client
        .with("X-FusionAuth-TenantId", &world.hostile.id);
    let mut lost = Vec::new();
    for _ in 0..ROUNDS {
        for noun in nouns() {
            lost.extend(change_at_once(&operator, &noun).await);
        }
        lost.extend(change_a_registration(&operator).await);
    }
    lost.sort();
    assert!(
        lost.is_empty(),
        "{} changes are lost: {lost:#?}",
        lost.len()
    );
    world.check_alive();
}

async fn change_at_once(operator: &Client, noun: &Noun) -> Vec<String> {
    let made = operator.post(noun.path, &noun.body).await.ok();
    let wrapper = noun
        .body
        .as_object()
        .unwrap()
        .keys()
        .find(|name| made.get(name).is_some());
    let id = text(&made, &format!("/{}/id", wrapper.unwrap())).to_owned();
    both(operator, &format!("{}/{id}", noun.path), &noun.changes).await
}

async fn change_a_registration(operator: &Client) -> Vec<String> {
    let body = json!({"application": {"name": unique()}});
    let made = operator.post("/api/application", &body).await.ok();
    let application = text(&made, "/application/id").to_owned();
    let body = json!({
        "user": {"username": unique()}, "sendSetPasswordEmail": true,
        "registration": {"applicationId": application},
    });
    let made = operator.post("/api/user/registration", &body).await.ok();
    let user = text(&made, "/user/id");
    let path = format!("/api/user/registration/{user}/{application}");
    let changes = [
        set("/registration/username", "Erlich"),
        set("/registration/data/a", 1),
    ];
    both(operator, &path, &changes).await
}

/// Makes both changes at once, and returns those that were answered 200 and came undone.
async fn both(operator: &Client, path: &str, changes: &[Change; 2]) -> Vec<String> {
    let client = operator.with("content-type", "application/merge-patch+json");
    let send = |change: &Change| {
        let (client, change, path) = (client.clone(), change.clone(), path.to_owned());
        async move {
            client
                .send(change.method, &path, change.body.as_ref())
                .await
        }
    };
    let [first, second] = changes;
    let (one, other) = tokio::join!(send(first), send(second));
    let object = operator.get(path).await.ok();
    let noun = path.rsplit_once('/').unwrap().0;
    [(first, one), (second, other)]
        .into_iter()
        .filter(|(change, reply)| {
            has_effect(reply) && object.pointer(change.shown) != Some(&change.value)
        })
        .map(|(change, _)| format!("{noun}: {}", change.shown))
        .collect()
}

/// One of two may have to come again.
fn has_effect(reply: &Reply) -> bool {
    if reply.status == 409 {
        assert_eq!(reply.error_codes(), ["[retryableConflict]"]);
        return false;
    }
    reply.ok();
    true
}

async fn a_webhook_never_has_more_than_four_secrets(db: TestDatabase) {
    const AT_ONCE: usize = 8;
    let mut world = World::start(db).await;
    let operator = &world.app.client;
    for _ in 0..4 {
        let body = json!({"webhook": {
            "url": world.app.receiver.url(), "connectTimeout": 1000, "readTimeout": 1000,
        }});
        let made = operator.post("/api/webhook", &body).await.ok();
        let path = format!("/api/webhook/{}/secret", text(&made, "/webhook/id"));
        let rotations = (0..AT_ONCE).map(|_| {
            let (client, path) = (operator.clone(), format!("{path}/rotate"));
            tokio::spawn(async move { client.post(&path, &json!({})).await.status })
        });
        for rotation in rotations.collect::<Vec<_>>() {
            let status = rotation.await.unwrap();
            assert!([200, 400, 409].contains(&status), "{status}");
        }
        let secrets = operator.get(&path).await.ok();
        let live = secrets["secrets"].as_array().unwrap().len();
        assert!(live <= 4, "{live} secrets are live");
    }
    world.check_alive();
}
