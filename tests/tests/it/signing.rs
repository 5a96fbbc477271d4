//! What receivers verify with besides a shared secret, and how operators change their own.

use beadle_tests::receiver::Received;
use beadle_tests::{TestApp, TestDatabase};
use openssl::pkey::{Id, PKey};
use openssl::sign::Verifier;
use serde_json::{Value, json};

use crate::scene::{Rewards, SOON, text};

beadle_tests::both_backends!(
    a_receiver_verifies_with_a_public_key,
    the_secret_key_is_changed_beside_a_running_server,
);

/// Checks the `v1a` entry of a request against the document of public keys, as a receiver
/// does that holds no secret.
fn verified(request: &Received, document: &Value, webhook: &str) -> bool {
    let signatures = request.header("webhook-signature").unwrap();
    let entry = signatures.split(' ').find_map(|e| e.strip_prefix("v1a,"));
    let decoded = |text: &str| openssl::base64::decode_block(text).unwrap();
    let key = text(document, &format!("/webhooks/{webhook}/0/publicKey"));
    let key = decoded(key.strip_prefix("whpk_").unwrap());
    let key = PKey::public_key_from_raw_bytes(&key, Id::ED25519).unwrap();
    let mut content = Vec::new();
    for header in ["webhook-id", "webhook-timestamp"] {
        content.extend_from_slice(request.header(header).unwrap().as_bytes());
        content.push(b'.');
    }
    content.extend_from_slice(&request.body);
    Verifier::new_without_digest(&key)
        .unwrap()
        .verify_oneshot(&decoded(entry.unwrap()), &content)
        .unwrap()
}

async fn a_receiver_verifies_with_a_public_key(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let rewards = Rewards::prepare(&app).await;
    let webhooks = app.client.get("/api/webhook").await.ok();
    let webhook = text(&webhooks, "/webhooks/0/id");
    let rotate = format!("/api/webhook/{webhook}/secret/rotate");
    app.client.post(&rotate, &json!({"type": "v1a"})).await.ok();
    let public = || async {
        let open = app.client.without_key();
        open.get("/.well-known/webhooks.json").await.ok()
    };

    rewards.give(&app.client, 1).await;
    let both = app.receiver.wait_for(1, SOON).await.remove(0);
    assert!(verified(&both, &public().await, webhook));
    // The library knows nothing of pairs, and skips the entry.
    assert_eq!(both.verified, Some(Ok(())));

    let leaked = json!({"type": "v1a", "gracePeriodSeconds": 0});
    app.client.post(&rotate, &leaked).await.ok();
    rewards.give(&app.client, 1).await;
    let next = app.receiver.wait_for(2, SOON).await.remove(1);
    assert!(verified(&next, &public().await, webhook));
    assert!(!verified(&both, &public().await, webhook));
    assert_eq!(app.db.row_counts()["webhook_secrets"], 3);
}

/// Everything that is sealed.
const SEALED: [&str; 7] = [
    "api_keys.key_sealed",
    "idempotency_keys.answer",
    "signing_keys.private_key",
    "tenants.smtp_password",
    "webhook_secrets.secret",
    "webhooks.headers",
    "webhooks.http_authentication_password",
];

/// Puts a secret of each kind into the database. Returns the Id of an API key.
async fn fill_with_secrets(app: &TestApp) -> String {
    let webhooks = app.client.get("/api/webhook").await.ok();
    let webhook = text(&webhooks, "/webhooks/0/id");
    let patch = json!({"webhook": {
        "headers": {"x-token": "of the customer"},
        "httpAuthenticationUsername": "piper",
        "httpAuthenticationPassword": "a password",
    }});
    let path = format!("/api/webhook/{webhook}");
    app.client.patch(&path, &patch).await.ok();
    let tenants = app.client.get("/api/tenant").await.ok();
    let tenant = format!("/api/tenant/{}", text(&tenants, "/tenants/0/id"));
    let smtp = json!({"tenant": {"emailConfiguration": {
        "host": "127.0.0.1", "port": app.mail.port(), "username": "piper", "password": "smtp",
    }}});
    app.client.patch(&tenant, &smtp).await.ok();
    let key = json!({"key": {"name": "Signs", "algorithm": "EdDSA"}});
    let key = app.client.post("/api/key/generate", &key).await.ok();
    let signed = json!({"webhook": {"signatureConfiguration": {
        "enabled": true, "signingKeyId": text(&key, "/key/id"),
    }}});
    app.client.patch(&path, &signed).await.ok();
    let once = app.client.with("idempotency-key", "once");
    let made = once.post("/api/api-key", &json!({"apiKey": {}})).await.ok();
    text(&made, "/apiKey/id").to_owned()
}

async fn restart_with(app: &mut TestApp, keys: &str) {
    app.stop_api().await;
    app.settings.set("BEADLE_SECRET_KEY", keys);
    app.start_api().await;
}

async fn the_secret_key_is_changed_beside_a_running_server(db: TestDatabase) {
    let (old, new) = ("0a".repeat(32), "0b".repeat(32));
    // One process, so that a restart gives the new list to all.
    let mut app = TestApp::builder(db)
        .workers(0)
        .set("BEADLE_EMBEDDED_WORKER", "true")
        .set("BEADLE_SECRET_KEY", &old)
        .start()
        .await;
    let rewards = Rewards::prepare(&app).await;
    let key = fill_with_secrets(&app).await;
    let shown = app.client.get(&format!("/api/api-key/{key}")).await.ok();

    // Without the old key in the list nothing can be done, and nothing is.
    let both = format!("{new},{old}");
    app.settings.set("BEADLE_SECRET_KEY", &new);
    let refused = app.command(&["rotate-secret-key"]).await;
    assert_eq!(refused.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("BEADLE_SECRET_KEY"), "{refused:?}");

    restart_with(&mut app, &both).await;
    // Beside a server that reads and writes.
    let (events, done) = tokio::join!(
        rewards.give(&app.client, 20),
        app.command(&["rotate-secret-key"]),
    );
    assert_eq!(done.code(), Some(0), "{done:?}");
    for column in SEALED {
        let line = done.stdout.lines().find(|line| line.starts_with(column));
        assert!(!line.unwrap().contains(": 0 rewritten"), "{done:?}");
    }

    restart_with(&mut app, &new).await;
    let again = app.command(&["rotate-secret-key"]).await;
    assert_eq!(again.code(), Some(0), "{again:?}");
    let left = |line: &&str| line.contains("rewritten") && !line.contains(": 0 rewritten");
    assert_eq!(again.stdout.lines().find(left), None);
    let later = rewards.give(&app.client, 1).await;
    let received = app.receiver.wait_for(events.len() + 1, SOON).await;
    let last = received.iter().find(|request| request.id() == later[0]);
    let last = last.unwrap();
    assert_eq!(last.verified, Some(Ok(())));
    assert_eq!(last.header("x-token"), Some("of the customer"));
    for header in ["authorization", "x-fusionauth-signature-jwt"] {
        assert!(last.header(header).is_some(), "{header}");
    }
    let now = app.client.get(&format!("/api/api-key/{key}")).await.ok();
    assert_eq!(now, shown);
    let once = app.client.with("idempotency-key", "once");
    let replayed = once.post("/api/api-key", &json!({"apiKey": {}})).await.ok();
    assert_eq!(text(&replayed, "/apiKey/id"), key);
}
