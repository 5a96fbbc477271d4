//! Nothing that one caller sends may stop, deceive or see the others.
//!
//! Two tenants share a server. The key of one is in hostile hands; the client of the other
//! wants nothing but to work, and goes on working while each attack is made ([`innocent`]).
//! Where a key that is locked to a tenant is not let in at all, the attack is made with one
//! that is: what it may send is not what it may break.
//!
//! A file is a kind of attack.

mod changes;
mod crash;
mod documents;
mod erasure;
mod innocent;
mod logins;
mod mail;
mod phases;
mod queries;
mod rights;
mod secrets;
mod sizes;
mod strangers;
mod templates;
mod truth;
mod walk;
mod zero_bytes;

use beadle_tests::{Client, Reply, TestApp, TestAppBuilder, TestDatabase};
use serde_json::{Value, json};

use crate::scene::{register_webhook, text};
use innocent::Innocent;

/// A tenant with a key that is locked to it.
pub struct Tenant {
    pub id: String,
    pub key: String,
    pub client: Client,
}

impl Tenant {
    pub fn path(&self) -> String {
        format!("/api/tenant/{}", self.id)
    }

    /// A user without a password, with these members beside the name.
    pub async fn user(&self, name: &str, members: Value) -> String {
        let mut body = json!({"sendSetPasswordEmail": true, "user": {
            "email": format!("{name}@{}.example", self.id), "username": name,
        }});
        merge(&mut body["user"], members);
        let made = self.client.post("/api/user", &body).await.ok();
        text(&made, "/user/id").to_owned()
    }
}

/// Adds the members of one object to another.
pub fn merge(object: &mut Value, members: Value) {
    let Value::Object(members) = members else {
        panic!("no object: {members}");
    };
    object.as_object_mut().unwrap().extend(members);
}

/// One server, two tenants.
pub struct World {
    pub app: TestApp,
    pub hostile: Tenant,
    pub innocent: Tenant,
    /// A definition that anybody may take: one event, no mail.
    pub reward: String,
}

impl World {
    pub async fn start(db: TestDatabase) -> Self {
        Self::of(TestApp::builder(db)).await
    }

    /// The same with settings of a test's own. What is measured is the server and not the
    /// disk of the machine, so commits do not wait for that.
    pub async fn of(builder: TestAppBuilder) -> Self {
        let builder = builder.set("BEADLE_SQLITE_SYNCHRONOUS", "normal");
        let app = builder.start().await;
        register_webhook(&app).await;
        Self {
            hostile: tenant(&app, "Hooli").await,
            innocent: tenant(&app, "Pied Piper").await,
            reward: definition(&app.client, json!({"name": "Reward"})).await,
            app,
        }
    }

    /// The innocent client at work.
    pub async fn innocent(&self) -> Innocent {
        Innocent::begin(self).await
    }

    /// Nobody had to die, and nothing panicked.
    pub fn check_alive(&mut self) {
        assert_eq!(self.app.api().ended(), None, "the API has ended");
        let log = self.app.api().log();
        let panic = log.lines().find(|line| line.contains("panicked at"));
        assert_eq!(panic, None);
    }
}

async fn tenant(app: &TestApp, name: &str) -> Tenant {
    let events = json!({"user.action": {"enabled": true, "transactionType": "None"}});
    let body = json!({"tenant": {"name": name, "eventConfiguration": {"events": events}}});
    let made = app.client.post("/api/tenant", &body).await.ok();
    let id = text(&made, "/tenant/id").to_owned();
    let key = key(&app.client, json!({"name": name, "tenantId": id})).await;
    let client = app.client.with_key(&key);
    Tenant { id, key, client }
}

/// A new API key.
pub async fn key(operator: &Client, key: Value) -> String {
    let made = operator.post("/api/api-key", &json!({"apiKey": key})).await;
    text(&made.ok(), "/apiKey/key").to_owned()
}

/// A new definition.
pub async fn definition(operator: &Client, definition: Value) -> String {
    let body = json!({"userAction": definition});
    let made = operator.post("/api/user-action", &body).await.ok();
    text(&made, "/userAction/id").to_owned()
}

/// Whatever was asked for, the server is not to blame.
#[track_caller]
pub fn must_be_answered(what: &str, reply: &Reply) {
    assert!(
        reply.status < 500,
        "{what} is answered {} {}",
        reply.status,
        reply.text()
    );
}
