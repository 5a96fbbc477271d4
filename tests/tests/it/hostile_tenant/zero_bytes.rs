//! Text that not every database can store.

use beadle_tests::TestDatabase;
use beadle_tests::receiver::Received;
use serde_json::{Value, json};

use super::{World, definition, must_be_answered};
use crate::scene::{SOON, now, taking, text};

beadle_tests::both_backends!(a_ban_upon_whoever_has_zero_bytes_begins_and_ends);

/// Prints everything that free data may hold.
fn printing() -> Value {
    let print = "{{user.data.zero}} {{json user.data}} {{event.comment}} {{json event}}";
    json!({"emailTemplate": {
        "name": "Printing",
        "defaultSubject": "{{user.data.zero}}",
        "defaultHtmlTemplate": format!("<p>{print}</p>"),
        "defaultTextTemplate": print,
    }})
}

async fn a_ban_upon_whoever_has_zero_bytes_begins_and_ends(db: TestDatabase) {
    let mut world = World::start(db).await;
    let operator = &world.app.client;
    let made = operator.post("/api/email/template", &printing()).await.ok();
    let letter = text(&made, "/emailTemplate/id");
    let mut ban = json!({
        "name": "Ban", "temporal": true, "sendEndEvent": true, "userEmailingEnabled": true,
        "includeEmailInEventJSON": true,
    });
    for phase in ["start", "modify", "cancel", "end"] {
        ban[format!("{phase}EmailTemplateId")] = letter.into();
    }
    let ban = definition(operator, ban).await;
    let client = &world.hostile.client;
    let body = json!({"sendSetPasswordEmail": true, "user": {
        "email": "gavin@hooli.example", "data": {"zero": "a\0b", "\0": ["\0"]},
    }});
    let reply = client.post("/api/user", &body).await;
    must_be_answered("a user with zero bytes", &reply);
    if reply.status == 400 {
        return;
    }
    let gavin = text(&reply.ok(), "/user/id").to_owned();
    let mut body = taking(&ban, &gavin, &gavin);
    body["action"]["expiry"] = (now() + 4_000).into();
    body["action"]["emailUser"] = true.into();
    body["eventInfo"] = json!({"data": {"zero": "\0"}});
    let mut taken = client.post("/api/user/action", &body).await;
    if taken.status == 400 {
        body.as_object_mut().unwrap().remove("eventInfo");
        taken = client.post("/api/user/action", &body).await;
    }
    let taken = taken.ok();
    let path = format!("/api/user/action/{}", text(&taken, "/action/id"));
    let change = json!({"broadcast": true, "action": {
        "actionerUserId": gavin, "expiry": now() + 1_500, "emailUser": true,
    }});
    client.put(&path, &change).await.ok();
    let ended = |received: &[Received]| {
        received
            .iter()
            .any(|request| request.event()["phase"] == "end")
    };
    let receiver = &world.app.receiver;
    receiver.wait_until(ended, "the end", SOON).await;
    world.read_everything().await;
    world.check_alive();
}
