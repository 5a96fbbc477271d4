//! Shapes of documents: how deep they are.

use beadle_tests::TestDatabase;
use serde_json::{Value, json};

use super::{World, must_be_answered};

beadle_tests::both_backends!(what_the_server_was_told_of_a_device_can_be_read);

fn arrays(depth: usize) -> Value {
    (0..depth).fold(json!([]), |inner, _| json!([inner]))
}

async fn what_the_server_was_told_of_a_device_can_be_read(db: TestDatabase) {
    let mut world = World::start(db).await;
    let user = world.hostile.user("gavin", json!({})).await;
    for depth in (50..70).chain(110..128) {
        let mut body = crate::scene::taking(&world.reward, &user, &user);
        body["eventInfo"] = json!({"data": {"a": arrays(depth)}});
        let client = &world.hostile.client;
        let reply = client.post("/api/user/action", &body).await;
        must_be_answered(&format!("{depth} levels"), &reply);
    }
    world.read_everything().await;
    let search = json!({"search": {"eventType": "user.action", "numberOfResults": 1000}});
    let path = "/api/system/webhook-event-log/search";
    world.app.client.post(path, &search).await.ok();
    world.check_alive();
}
