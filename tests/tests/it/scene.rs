//! The people and things of the stories: a company, its users, and what it does to them.

use std::time::{Duration, SystemTime};

use beadle_tests::{Client, TestApp};
use serde_json::{Value, json};

/// In this time every delivery must have come, on a busy machine too.
pub const SOON: Duration = Duration::from_secs(30);

/// Milliseconds since the epoch.
pub fn now() -> i64 {
    let elapsed = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(elapsed.as_millis()).unwrap()
}

pub const HOUR: i64 = 3_600_000;

/// The text at a JSON pointer.
#[track_caller]
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} in {value:#}"))
}

/// The whole number at a JSON pointer.
#[track_caller]
pub fn number(value: &Value, pointer: &str) -> i64 {
    let found = value.pointer(pointer).and_then(Value::as_i64);
    found.unwrap_or_else(|| panic!("no whole number at {pointer} in {value:#}"))
}

/// Registers the app's receiver for `user.action`, and makes it verify every signature.
pub async fn register_webhook(app: &TestApp) -> String {
    let answer = app.client.post("/api/webhook", &webhook(app)).await.ok();
    app.receiver
        .verify_with(text(&answer, "/webhook/signingSecret"));
    text(&answer, "/webhook/id").to_owned()
}

fn webhook(app: &TestApp) -> Value {
    json!({"webhook": {
        "url": app.receiver.url(),
        "connectTimeout": 1000,
        "readTimeout": 20_000,
        "global": true,
        "eventsEnabled": {"user.action": true},
    }})
}

/// Creates a user who reads these languages, best first.
pub async fn user(client: &Client, name: &str, languages: &[&str]) -> String {
    let body = json!({"user": {
        "email": format!("{}@piedpiper.example", name.to_lowercase()),
        "firstName": name,
        "password": "a long enough password",
        "preferredLanguages": languages,
    }});
    let answer = client.post("/api/user", &body).await.ok();
    text(&answer, "/user/id").to_owned()
}

/// A template of one phase, whose every part exists in English, German and French.
pub async fn template(client: &Client, phase: &str) -> String {
    let (en, de, fr) = match phase {
        "start" => ("welcome", "willkommen", "bienvenue"),
        "modify" => ("changed", "geändert", "modifié"),
        "cancel" => ("canceled", "gekündigt", "résilié"),
        _ => ("ended", "abgelaufen", "terminé"),
    };
    let action = "{{event.localizedAction}}";
    let html = |word: &str| format!("<p>{{{{user.firstName}}}}: {action} {word}</p>");
    let plain = |word: &str| format!("{{{{user.firstName}}}}: {action} {word}");
    let body = json!({"emailTemplate": {
        "name": format!("Subscription {phase}"),
        "fromEmail": "news@piedpiper.example",
        "defaultFromName": "Pied Piper",
        "defaultSubject": plain(en),
        "defaultTextTemplate": plain(en),
        "defaultHtmlTemplate": html(en),
        "localizedSubjects": {"de": plain(de), "fr": plain(fr)},
        "localizedTextTemplates": {"de": plain(de), "fr": plain(fr)},
        "localizedHtmlTemplates": {"de": html(de), "fr": html(fr)},
    }});
    let answer = client.post("/api/email/template", &body).await.ok();
    text(&answer, "/emailTemplate/id").to_owned()
}

/// Defines a temporal action that mails the user in every phase.
pub async fn subscription(client: &Client) -> String {
    let mut definition = json!({
        "name": "Subscribe",
        "localizedNames": {"de": "Abonnement", "fr": "Abonnement mensuel"},
        "temporal": true,
        "sendEndEvent": true,
        "userEmailingEnabled": true,
        "includeEmailInEventJSON": true,
    });
    for phase in ["start", "modify", "cancel", "end"] {
        definition[format!("{phase}EmailTemplateId")] = template(client, phase).await.into();
    }
    let body = json!({"userAction": definition});
    let answer = client.post("/api/user-action", &body).await.ok();
    text(&answer, "/userAction/id").to_owned()
}

/// Defines an action that is neither temporal nor mailed: one event, nothing else.
pub async fn reward(client: &Client) -> String {
    let body = json!({"userAction": {"name": "Reward"}});
    let answer = client.post("/api/user-action", &body).await.ok();
    text(&answer, "/userAction/id").to_owned()
}

/// A reason to act, told in three languages.
pub async fn reason(client: &Client) -> String {
    let body = json!({"userActionReason": {
        "code": "PS",
        "text": "Paid Subscription",
        "localizedTexts": {"de": "Bezahltes Abonnement", "fr": "Abonnement payé"},
    }});
    let answer = client.post("/api/user-action-reason", &body).await.ok();
    text(&answer, "/userActionReason/id").to_owned()
}

/// The request that takes a broadcast action.
pub fn taking(definition: &str, actioner: &str, actionee: &str) -> Value {
    json!({
        "broadcast": true,
        "action": {
            "userActionId": definition,
            "actionerUserId": actioner,
            "actioneeUserId": actionee,
        },
    })
}

/// A world in which rewards can be given: the webhook is registered, two users exist.
pub struct Rewards {
    pub definition: String,
    pub actioner: String,
    pub actionee: String,
}

impl Rewards {
    pub async fn prepare(app: &TestApp) -> Self {
        register_webhook(app).await;
        Self {
            definition: reward(&app.client).await,
            actioner: user(&app.client, "Richard", &[]).await,
            actionee: user(&app.client, "Gilfoyle", &[]).await,
        }
    }

    /// Gives rewards, and returns the ids of their events.
    pub async fn give(&self, client: &Client, count: usize) -> Vec<String> {
        let mut events = Vec::new();
        for _ in 0..count {
            let taken = client.post("/api/user/action", &self.request()).await.ok();
            events.push(text(&taken, "/action/event/id").to_owned());
        }
        events
    }

    pub fn request(&self) -> Value {
        taking(&self.definition, &self.actioner, &self.actionee)
    }
}
