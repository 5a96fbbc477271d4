//! What is left of those who were erased.

use std::time::{Duration, Instant};

use beadle_tests::{Answer, Backend, Moment, TestDatabase, Trouble};
use hyper::Method;
use serde_json::{Value, json};

use super::{Tenant, World, definition, must_be_answered};
use crate::scene::{HOUR, SOON, now, taking, text};

beadle_tests::both_backends!(
    nothing_is_left_of_a_deleted_tenant,
    a_tenant_is_deleted_in_the_background,
    a_deletion_goes_on_after_a_kill,
    erasing_a_user_reaches_the_mail_that_a_worker_has_in_hand,
);

/// Stands in everything that is personal.
const MARKER: &str = "zebediah.quillfeather";

/// A template that prints who reads it.
async fn letter(world: &World) -> String {
    let print = "{{user.email}} {{user.data.who}} {{event.comment}} {{requestData.who}}";
    let body = json!({"emailTemplate": {
        "name": "Letter", "defaultSubject": print, "defaultTextTemplate": print,
        "defaultHtmlTemplate": format!("<p>{print}</p>"),
    }});
    let made = world
        .app
        .client
        .post("/api/email/template", &body)
        .await
        .ok();
    text(&made, "/emailTemplate/id").to_owned()
}

/// A ban that is mailed to whom it is about.
async fn ban(world: &World, letter: &str) -> String {
    let ban = json!({
        "name": "Ban", "temporal": true, "sendEndEvent": true, "userEmailingEnabled": true,
        "includeEmailInEventJSON": true, "startEmailTemplateId": letter,
    });
    definition(&world.app.client, ban).await
}

/// Leaves traces of a person wherever there may be some: as a user, in events that came and
/// that wait, in mail that came, that was put off and that was refused.
async fn leave_traces(world: &World, tenant: &Tenant) {
    let letter = letter(world).await;
    let ban = ban(world, &letter).await;
    let client = &tenant.client;
    world
        .app
        .receiver
        .script([Answer::status(500), Answer::status(500)]);
    world
        .app
        .mail
        .refuse_recipients("@later.example", "450 4.2.1 later");
    world
        .app
        .mail
        .refuse_recipients("@never.example", "550 5.1.1 nobody");
    for (number, domain) in ["now.example", "later.example", "never.example"]
        .iter()
        .enumerate()
    {
        let body = json!({"user": {
            "email": format!("{MARKER}.{number}@{domain}"), "firstName": MARKER,
            "username": format!("{MARKER}{number}"), "data": {"who": MARKER},
            "password": "a long enough password",
        }});
        let made = client.post("/api/user", &body).await.ok();
        let user = text(&made, "/user/id").to_owned();
        let mut body = taking(&ban, &user, &user);
        merge_action(&mut body);
        let keyed = client.with("Idempotency-Key", &format!("{MARKER}{number}"));
        keyed.post("/api/user/action", &body).await.ok();
        let mail = json!({
            "userIds": [user], "requestData": {"who": MARKER},
            "toAddresses": [{"address": format!("{MARKER}.other@{domain}"), "display": MARKER}],
        });
        let path = format!("/api/email/send/{letter}");
        client.post(&path, &mail).await.must_be(202);
        let login = json!({"loginId": format!("{MARKER}{number}"), "password": "a wrong guess"});
        client.post("/api/login", &login).await.must_be(404);
    }
    let body = json!({"application": {"name": MARKER, "data": {"who": MARKER}}});
    client.post("/api/application", &body).await.ok();
    tried(world).await;
}

fn merge_action(body: &mut Value) {
    let members = json!({"comment": MARKER, "emailUser": true, "expiry": now() + HOUR});
    super::merge(&mut body["action"], members);
    body["eventInfo"] = json!({"data": {"who": MARKER}});
}

/// Waits until everything has been tried.
async fn tried(world: &World) {
    let deadline = Instant::now() + SOON;
    let untried = "SELECT count(*) FROM outbox WHERE attempt = 0 OR lease_token IS NOT NULL";
    while world.app.db.number(untried) > 0 {
        assert!(
            Instant::now() < deadline,
            "some deliveries are not even tried"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until no row tells of the person, and looks into the files then.
async fn expect_no_traces(world: &mut World) {
    let deadline = Instant::now() + SOON;
    while world.app.db.has_row_with(MARKER) {
        assert!(
            Instant::now() < deadline,
            "rows with {MARKER} are left: {:#?}",
            tables(world)
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if world.app.db.backend() == Backend::Sqlite {
        // A process that ends empties the write-ahead log into the file.
        world.app.stop_api().await;
        assert!(!world.app.db.contains(MARKER), "the file has {MARKER}");
    }
}

/// The tables that have rows.
fn tables(world: &World) -> Vec<(String, i64)> {
    let counts = world.app.db.row_counts().into_iter();
    counts.filter(|(_, rows)| *rows > 0).collect()
}

async fn delete(world: &World, query: &str) -> u16 {
    let path = format!("{}{query}", world.hostile.path());
    world
        .app
        .client
        .send(Method::DELETE, &path, None)
        .await
        .status
}

async fn nothing_is_left_of_a_deleted_tenant(db: TestDatabase) {
    let mut world = World::start(db).await;
    leave_traces(&world, &world.hostile).await;
    assert!(world.app.db.has_row_with(MARKER));
    assert_eq!(delete(&world, "").await, 200);
    world
        .app
        .client
        .get(&world.hostile.path())
        .await
        .must_be(404);
    expect_no_traces(&mut world).await;
}

/// Users enough for a deletion that lasts.
async fn crowd(world: &World) {
    const CROWD: usize = 300;
    for number in 0..CROWD {
        let data = json!({"data": {"who": MARKER}});
        let name = format!("{MARKER}.{number}");
        let user = world.hostile.user(&name, data).await;
        let body = taking(&world.reward, &user, &user);
        world
            .hostile
            .client
            .post("/api/user/action", &body)
            .await
            .ok();
    }
}

async fn a_tenant_is_deleted_in_the_background(db: TestDatabase) {
    let mut world = World::start(db).await;
    leave_traces(&world, &world.hostile).await;
    crowd(&world).await;
    let innocent = world.innocent().await;
    innocent
        .endures("the deletion of another tenant", async || {
            let begin = Instant::now();
            let status = delete(&world, "?async=true").await;
            assert!([202, 404].contains(&status), "{status}");
            let took = begin.elapsed();
            assert!(took < Duration::from_secs(1), "an answer takes {took:?}");
            // The tenant takes nobody in from now on.
            let client = &world.hostile.client;
            assert_eq!(client.get("/api/user/search").await.status, 401);
        })
        .await;
    drop(innocent);
    expect_no_traces(&mut world).await;
}

async fn a_deletion_goes_on_after_a_kill(db: TestDatabase) {
    let mut world = World::start(db).await;
    crowd(&world).await;
    assert_eq!(delete(&world, "?async=true").await, 202);
    world.app.api().kill();
    if world.app.db.backend() == Backend::Postgres {
        world.app.worker(0).kill();
        world.app.start_worker();
    }
    world.app.start_api().await;
    expect_no_traces(&mut world).await;
}

async fn erasing_a_user_reaches_the_mail_that_a_worker_has_in_hand(db: TestDatabase) {
    let mut world = World::start(db).await;
    let letter = letter(&world).await;
    let data = json!({"data": {"who": MARKER}});
    let user = world.hostile.user(MARKER, data).await;
    world
        .app
        .mail
        .make(Trouble::KeepAndHold, Moment::Message, 1);
    let mail = json!({"userIds": [user], "requestData": {"who": MARKER}});
    let path = format!("/api/email/send/{letter}");
    world.hostile.client.post(&path, &mail).await.must_be(202);
    world.app.mail.wait_for(1, SOON).await;
    let path = format!("/api/user/{user}?hardDelete=true");
    let deleted = world.hostile.client.send(Method::DELETE, &path, None).await;
    must_be_answered("the deletion of a user", &deleted);
    assert_eq!(deleted.status, 200);
    world.app.mail.release(1, SOON).await;
    tried(&world).await;
    expect_no_traces(&mut world).await;
    world.app.mail.wait_for(1, SOON).await;
}
