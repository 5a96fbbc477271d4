//! Webhooks that get each user's events in their order, from several workers.

use std::collections::BTreeMap;
use std::time::Duration;

use beadle_tests::receiver::Received;
use beadle_tests::{Answer, TestApp, TestDatabase};
use serde_json::json;

use crate::scene::{Rewards, SOON, register_webhook, reward, text, user};

beadle_tests::both_backends!(a_users_events_wait_for_the_first_and_those_of_others_flow);

/// The events of each user in the order in which the receiver took them.
fn taken(received: &[Received]) -> BTreeMap<String, Vec<String>> {
    let mut taken = BTreeMap::<String, Vec<String>>::new();
    for request in received.iter().filter(|request| request.answered == 200) {
        let event = request.event();
        let user = text(&event, "/actioneeUserId").to_owned();
        taken.entry(user).or_default().push(request.id().to_owned());
    }
    taken
}

async fn a_users_events_wait_for_the_first_and_those_of_others_flow(db: TestDatabase) {
    const EACH: usize = 5;
    // What fails comes again only when it is asked for.
    let app = TestApp::builder(db)
        .workers(2)
        .set("BEADLE_RETRY_SCHEDULE", "0s,1h")
        .start()
        .await;
    let webhook = register_webhook(&app).await;
    let ordered = json!({"webhook": {"orderedBy": "user"}});
    let path = format!("/api/webhook/{webhook}");
    app.client.patch(&path, &ordered).await.ok();
    let (definition, actioner) = (
        reward(&app.client).await,
        user(&app.client, "Richard", &[]).await,
    );
    let mut users = Vec::new();
    for name in ["Gilfoyle", "Dinesh", "Jared", "Monica"] {
        users.push(Rewards {
            definition: definition.clone(),
            actioner: actioner.clone(),
            actionee: user(&app.client, name, &[]).await,
        });
    }
    let mut given = BTreeMap::<String, Vec<String>>::new();

    app.receiver.script([Answer::status(500)]);
    let first = users[0].give(&app.client, 1).await.remove(0);
    app.receiver.wait_for(1, SOON).await;
    given.insert(users[0].actionee.clone(), vec![first.clone()]);
    // Slow enough that both workers are at it.
    let slow = Answer::status(200).after(Duration::from_millis(50));
    app.receiver.always(slow);
    for round in 0..EACH {
        for (index, user) in users.iter().enumerate() {
            if (round, index) == (0, 0) {
                continue;
            }
            let events = user.give(&app.client, 1).await;
            given
                .entry(user.actionee.clone())
                .or_default()
                .extend(events);
        }
    }

    let others = 3 * EACH;
    app.receiver.wait_for(1 + others, SOON).await;
    app.receiver.expect_quiet(Duration::from_secs(1)).await;
    let mut expected = given.clone();
    expected.remove(&users[0].actionee);
    assert_eq!(taken(&app.receiver.received()), expected);

    let path = format!("/api/delivery/search?eventId={first}");
    let found = app.client.get(&path).await.ok();
    let delivery = text(&found, "/deliveries/0/id");
    let path = format!("/api/delivery/{delivery}/resend");
    app.client.post(&path, &json!({})).await.ok();
    app.receiver.wait_for(1 + others + EACH, SOON).await;
    app.receiver.expect_quiet(Duration::from_secs(1)).await;
    assert_eq!(taken(&app.receiver.received()), given);
}
