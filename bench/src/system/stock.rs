//! What a measurement needs to exist: a definition, users, webhooks.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use super::System;
use crate::client::Connection;
use crate::clock::now_micros;

/// Users who are acted upon in turn.
const USERS: usize = 64;

/// A definition and users, by Id.
#[derive(Debug, Clone)]
pub struct Stock {
    definition: String,
    actioner: String,
    actionees: Vec<String>,
}

impl Stock {
    /// Makes them, and a webhook for each URL.
    pub async fn make(system: &System, webhooks: &[String]) -> Result<Self> {
        let mut connection = Connection::new(&system.api);
        let definition = json!({"userAction": {"name": "Thank", "temporal": false}});
        let definition = made(
            &mut connection,
            "/api/user-action",
            "userAction",
            definition,
        )
        .await?;
        let mut users = Vec::new();
        for number in 0..=USERS {
            let email = format!("user{number}@bench.example");
            let user = json!({"user": {"email": email, "password": "a long password"}});
            users.push(made(&mut connection, "/api/user", "user", user).await?);
        }
        let stock = Self {
            definition,
            actioner: users.pop().context("at least one user was made")?,
            actionees: users,
        };
        stock.add_webhooks(system, webhooks).await?;
        Ok(stock)
    }

    /// Makes a webhook for each URL.
    pub async fn add_webhooks(&self, system: &System, urls: &[String]) -> Result<()> {
        let mut connection = Connection::new(&system.api);
        for url in urls {
            let webhook = json!({"webhook": {
                "url": url, "global": true, "connectTimeout": 1000, "readTimeout": 10_000,
                "eventsEnabled": {"user.action": true},
            }});
            made(&mut connection, "/api/webhook", "webhook", webhook).await?;
        }
        Ok(())
    }

    /// The body that takes the action once more; it carries the time of its making.
    pub fn action(&self, number: usize) -> Bytes {
        let actionee = self.actionees.get(number % self.actionees.len().max(1));
        let body = json!({
            "broadcast": true,
            "action": {
                "actioneeUserId": actionee,
                "actionerUserId": self.actioner,
                "userActionId": self.definition,
                "comment": "For all that was done",
            },
            "eventInfo": {"ipAddress": "192.0.2.1", "data": {"sent_at": now_micros()}},
        });
        Bytes::from(body.to_string())
    }
}

async fn made(
    connection: &mut Connection,
    path: &str,
    member: &str,
    body: Value,
) -> Result<String> {
    let answer = connection.call(Method::POST, path, &body).await?;
    let id = answer.get(member).and_then(|made| made.get("id"));
    let id = id.and_then(Value::as_str);
    Ok(id.with_context(|| format!("{path}: no Id"))?.to_owned())
}
