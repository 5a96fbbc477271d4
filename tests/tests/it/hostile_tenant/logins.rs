//! Who may log in.

use beadle_tests::TestDatabase;
use serde_json::json;

use super::{World, definition};
use crate::scene::{HOUR, now, taking};

beadle_tests::both_backends!(a_login_is_not_replayed_after_a_ban);

async fn a_login_is_not_replayed_after_a_ban(db: TestDatabase) {
    let world = World::start(db).await;
    let ban = json!({"name": "Ban", "temporal": true, "preventLogin": true});
    let ban = definition(&world.app.client, ban).await;
    let password = json!({"password": "a long enough password"});
    let gavin = world.hostile.user("gavin", password).await;
    let client = world.hostile.client.with("Idempotency-Key", "let me in");
    let login = json!({"loginId": "gavin", "password": "a long enough password"});
    let status = client.post("/api/login", &login).await.status;
    assert!([200, 202].contains(&status), "{status}");
    let mut body = taking(&ban, &gavin, &gavin);
    body["action"]["expiry"] = (now() + HOUR).into();
    let banning = world.hostile.client.post("/api/user/action", &body).await;
    banning.ok();
    client.post("/api/login", &login).await.must_be(409);
}
