//! What a key must not learn, whatever it may change.

use std::time::Duration;

use beadle_tests::{MailServer, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use super::World;
use crate::scene::{SOON, template, text};

beadle_tests::both_backends!(
    a_locked_key_does_not_read_the_password_of_its_mail_server,
    a_locked_key_does_not_send_the_password_to_another_mail_server,
    a_locked_key_signs_no_mail_with_the_key_of_another_tenant,
);

const PASSWORD: &str = "correct horse battery";
const EDIT: &str = "application/json-patch+json";
const CONFIGURATION: &str = "/tenant/emailConfiguration";

/// Has the operator give the hostile tenant a mail server that asks for a password.
async fn give_password(world: &World) {
    let configuration = json!({
        "host": "127.0.0.1", "port": world.app.mail.port(), "security": "NONE",
        "username": "hooli", "password": PASSWORD,
    });
    let body = json!({"tenant": {"emailConfiguration": configuration}});
    let reply = world.app.client.patch(&world.hostile.path(), &body).await;
    reply.ok();
}

async fn edit(world: &World, operations: &Value) -> beadle_tests::Reply {
    let client = world.hostile.client.with("content-type", EDIT);
    client.patch(&world.hostile.path(), operations).await
}

/// Where a password might be, and where it would be seen.
fn thefts() -> Vec<Value> {
    let secret = format!("{CONFIGURATION}/password");
    let take = |op: &str, from: &str, to: &str| json!({"op": op, "from": from, "path": to});
    let data = json!({"op": "add", "path": "/tenant/data", "value": {}});
    let mut thefts = Vec::new();
    for op in ["copy", "move"] {
        for to in [
            "/tenant/data/x",
            "/tenant/issuer",
            &format!("{CONFIGURATION}/defaultFromName"),
        ] {
            thefts.push(json!([data, take(op, &secret, to)]));
        }
        thefts.push(json!([data, take(op, CONFIGURATION, "/tenant/data/x")]));
        thefts.push(json!([
            data,
            take("copy", "/tenant", "/x"),
            take(op, "/x", "/tenant/data/x")
        ]));
    }
    thefts
}

async fn a_locked_key_does_not_read_the_password_of_its_mail_server(db: TestDatabase) {
    let mut world = World::start(db).await;
    give_password(&world).await;
    for theft in thefts() {
        let reply = edit(&world, &theft).await;
        assert!(reply.status < 500, "{theft}: {}", reply.status);
        let seen = world.hostile.client.get(&world.hostile.path()).await;
        for text in [reply.text(), seen.text()] {
            assert!(
                !text.contains(PASSWORD),
                "{theft} shows the password: {text}"
            );
        }
        // It may be gone by then, which is no secret.
        give_password(&world).await;
    }
    let guess = |value: &str| {
        let path = format!("{CONFIGURATION}/password");
        json!([{"op": "test", "path": path, "value": value}])
    };
    let right = edit(&world, &guess(PASSWORD)).await;
    let wrong = edit(&world, &guess("a wrong guess")).await;
    assert_eq!(
        (right.status, right.text()),
        (
            wrong.status,
            wrong.text().replace("a wrong guess", PASSWORD)
        ),
        "a guess is told from another"
    );
    world.check_alive();
}

async fn a_locked_key_does_not_send_the_password_to_another_mail_server(db: TestDatabase) {
    let world = World::start(db).await;
    let letter = template(&world.app.client, "start").await;
    let listening = MailServer::start().await;
    let port = listening.port();
    let edits = [("port", json!(port)), ("host", json!("localhost"))];
    let edits: Vec<Value> = edits
        .iter()
        .map(|(name, value)| json!({"op": "replace", "path": format!("{CONFIGURATION}/{name}"), "value": value}))
        .collect();
    let configuration =
        |members: Value| json!({"tenant": {"name": "Hooli", "emailConfiguration": members}});
    let whole = json!({
        "host": "127.0.0.1", "port": port, "security": "NONE", "username": "hooli",
    });
    let changes = [
        (
            Method::PATCH,
            "application/json",
            configuration(json!({"port": port})),
        ),
        (
            Method::PATCH,
            "application/merge-patch+json",
            configuration(json!({"port": port})),
        ),
        (Method::PATCH, EDIT, edits.into()),
        (Method::PUT, "application/json", configuration(whole)),
    ];
    for (method, media_type, body) in changes {
        give_password(&world).await;
        let client = world.hostile.client.with("content-type", media_type);
        let reply = client
            .send(method, &world.hostile.path(), Some(&body))
            .await;
        assert!([200, 400].contains(&reply.status), "{}", reply.text());
        let mail = json!({"toAddresses": [{"address": "gavin@hooli.example"}]});
        let path = format!("/api/email/send/{letter}");
        world.hostile.client.post(&path, &mail).await.must_be(202);
        delivered_or_given_up(&world).await;
        assert_eq!(listening.logins(), [], "{media_type} {body}");
    }
}

/// Waits until the mails of the hostile tenant have been tried.
async fn delivered_or_given_up(world: &World) {
    let deadline = std::time::Instant::now() + SOON;
    let untried = "SELECT count(*) FROM outbox WHERE attempt = 0";
    while world.app.db.number(untried) > 0 && std::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_locked_key_signs_no_mail_with_the_key_of_another_tenant(db: TestDatabase) {
    let world = World::start(db).await;
    let operator = &world.app.client;
    let tenant = &world.innocent.id;
    let key = json!({"key": {"name": "Signs", "algorithm": "EdDSA", "tenantId": tenant}});
    let made = operator.post("/api/key/generate", &key).await.ok();
    let id = text(&made, "/key/id");
    let dkim = json!({"domain": "piedpiper.example", "selector": "a", "keyId": id});
    let body = json!({"tenant": {"emailConfiguration": {"dkim": dkim}}});
    let own = world
        .hostile
        .client
        .patch(&world.hostile.path(), &body)
        .await;
    own.must_be(400);
    assert_eq!(
        own.error_codes(),
        ["[invalid]tenant.emailConfiguration.dkim.keyId"]
    );
    let innocent = &world.innocent;
    innocent.client.patch(&innocent.path(), &body).await.ok();
}
