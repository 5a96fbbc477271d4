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
    /// Whether the actions mail those who are acted upon.
    mails: bool,
}

impl Stock {
    /// Makes them, and a webhook for each URL.
    pub async fn make(system: &System, webhooks: &[String]) -> Result<Self> {
        let definition = json!({"name": "Thank", "temporal": false});
        let stock = Self::defined(system, definition, false).await?;
        stock.add_webhooks(system, webhooks).await?;
        Ok(stock)
    }

    /// Makes them with a template in two languages, of which each user reads one. Nobody but
    /// the users hears of the actions.
    pub async fn with_mail(system: &System) -> Result<Self> {
        let mut connection = Connection::new(&system.api);
        let path = "/api/email/template";
        let template = made(&mut connection, path, "emailTemplate", template()).await?;
        let definition = json!({
            "name": "Thank", "temporal": false,
            "userEmailingEnabled": true, "startEmailTemplateId": template,
        });
        Self::defined(system, definition, true).await
    }

    async fn defined(system: &System, definition: Value, mails: bool) -> Result<Self> {
        let mut connection = Connection::new(&system.api);
        let definition = json!({"userAction": definition});
        let path = "/api/user-action";
        let definition = made(&mut connection, path, "userAction", definition).await?;
        let mut users = Vec::new();
        for number in 0..=USERS {
            let email = format!("user{number}@bench.example");
            let language = if number % 2 == 0 { "de" } else { "en" };
            let user = json!({"user": {
                "email": email, "password": "a long password", "fullName": "Big Head",
                "preferredLanguages": [language], "timezone": "Europe/Zurich",
            }});
            users.push(made(&mut connection, "/api/user", "user", user).await?);
        }
        Ok(Self {
            definition,
            actioner: users.pop().context("at least one user was made")?,
            actionees: users,
            mails,
        })
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
                "emailUser": self.mails,
            },
            "eventInfo": {"ipAddress": "192.0.2.1", "data": {"sent_at": now_micros()}},
        });
        Bytes::from(body.to_string())
    }
}

/// What a company sends: a few variables, a condition, a date; and both parts.
fn template() -> Value {
    let text = |greeting: &str, sentence: &str| {
        format!(
            "{greeting} {{{{user.fullName}}}},\n\n{sentence} {{{{date event.createInstant}}}}.\n\
             {{{{#if event.comment}}}}\n{{{{event.comment}}}}\n{{{{/if}}}}\nPied Piper\n"
        )
    };
    let html = |greeting: &str, sentence: &str| {
        format!(
            "<html lang=\"{{{{locale.tag}}}}\" dir=\"{{{{locale.dir}}}}\"><body>\
             <h1>{greeting} {{{{user.fullName}}}}</h1><p>{sentence} {{{{date event.createInstant}}}}.</p>\
             {{{{#if event.comment}}}}<blockquote>{{{{event.comment}}}}</blockquote>{{{{/if}}}}\
             <p>Pied Piper</p></body></html>"
        )
    };
    let (english, german) = (("Dear", "Thank you for"), ("Guten Tag", "Danke für den"));
    json!({"emailTemplate": {
        "name": "Thanks",
        "fromEmail": "news@bench.example",
        "defaultFromName": "Pied Piper",
        "defaultSubject": "Thank you, {{user.fullName}}",
        "defaultTextTemplate": text(english.0, english.1),
        "defaultHtmlTemplate": html(english.0, english.1),
        "localizedSubjects": {"de": "Schönen Dank, {{user.fullName}}"},
        "localizedTextTemplates": {"de": text(german.0, german.1)},
        "localizedHtmlTemplates": {"de": html(german.0, german.1)},
    }})
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
