//! An action that ends, and a user who is erased, while a request is under way.

use beadle_tests::receiver::Received;
use beadle_tests::{Client, TestDatabase};
use hyper::Method;
use serde_json::{Value, json};

use super::{World, definition};
use crate::by_hand::Slow;
use crate::scene::{SOON, now, number, taking, text};

beadle_tests::both_backends!(
    an_action_that_has_ended_is_not_changed_any_more,
    a_user_who_is_erased_while_somebody_acts_leaves_nothing,
);

const ACTIONS: &str = "/api/user/action";

async fn an_action_that_has_ended_is_not_changed_any_more(db: TestDatabase) {
    let mut world = World::start(db).await;
    let ban = json!({"name": "Ban", "temporal": true, "sendEndEvent": true});
    let ban = definition(&world.app.client, ban).await;
    let gavin = world.hostile.user("gavin", json!({})).await;
    let mut begun = Vec::new();
    for method in ["PUT", "DELETE"] {
        let mut body = taking(&ban, &gavin, &gavin);
        body["action"]["expiry"] = (now() + 2_500).into();
        let taken = world.hostile.client.post(ACTIONS, &body).await.ok();
        let path = format!("{ACTIONS}/{}", text(&taken, "/action/id"));
        let mut change =
            json!({"broadcast": true, "action": {"actionerUserId": gavin, "comment": "Late"}});
        if method == "PUT" {
            change["action"]["expiry"] = (now() + 60_000).into();
        }
        let key = &world.hostile.key;
        let slow = Slow::begin(&world.app, (method, &path), key, &change.to_string()).await;
        begun.push(slow);
    }
    let ended = |received: &[Received]| phases(received, "end") == begun.len();
    let receiver = &world.app.receiver;
    receiver.wait_until(ended, "both ends", SOON).await;
    let late = begun.len();
    for mut slow in begun {
        slow.complete().await;
        let (status, answer) = slow.answer().await;
        assert!([400, 404, 409].contains(&status), "{answer}");
    }
    let quiet = std::time::Duration::from_secs(1);
    world.app.receiver.expect_quiet(quiet).await;
    let received = world.app.receiver.received();
    assert_eq!(received.len(), 2 * late);
    world.check_alive();
}

/// How many have told of this phase.
fn phases(received: &[Received], phase: &str) -> usize {
    let of_phase = |request: &&Received| request.event()["phase"] == phase;
    received.iter().filter(of_phase).count()
}

async fn a_user_who_is_erased_while_somebody_acts_leaves_nothing(db: TestDatabase) {
    const ROUNDS: usize = 12;
    const AT_ONCE: usize = 4;
    let mut world = World::start(db).await;
    let gavin = world.hostile.user("gavin", json!({})).await;
    let mut erased = Vec::new();
    for round in 0..ROUNDS {
        let user = world
            .hostile
            .user(&format!("erased{round}"), json!({}))
            .await;
        let mut body = taking(&world.reward, &gavin, &user);
        body["action"]["comment"] = format!("about-{user}").into();
        let acting: Vec<_> = (0..AT_ONCE)
            .map(|_| tokio::spawn(act(world.hostile.client.clone(), body.clone())))
            .collect();
        let path = format!("/api/user/{user}?hardDelete=true");
        let deleted = world.hostile.client.send(Method::DELETE, &path, None).await;
        assert_eq!(deleted.status, 200, "{}", deleted.text());
        for acting in acting {
            acting.await.unwrap();
        }
        erased.push(user);
    }
    for user in erased {
        let events = json!({"search": {"event": format!("*about-{user}*")}});
        let path = "/api/system/webhook-event-log/search";
        let found = world.app.client.post(path, &events).await.ok();
        assert_eq!(
            number(&found, "/total"),
            0,
            "events tell of the erased: {found:#}"
        );
        let path = format!("/api/delivery/search?userId={user}");
        let found = world.app.client.get(&path).await.ok();
        assert_eq!(
            number(&found, "/total"),
            0,
            "deliveries tell of the erased: {found:#}"
        );
    }
    world.check_alive();
}

/// Acts upon somebody who may be gone.
async fn act(client: Client, body: Value) {
    let status = client.post(ACTIONS, &body).await.status;
    assert!([200, 400, 409].contains(&status), "{status}");
}
