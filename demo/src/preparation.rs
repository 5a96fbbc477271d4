//! What exists before anybody is acted upon: a webhook, users, a reason, templates, and
//! what can be done to users.

use anyhow::Context;
use hyper::Method;
use serde_json::{Value, json};

use crate::cast::{Person, SUPPORT, USERS};
use crate::letters::{Letter, default, localized};
use crate::print::list;
use crate::scene::Scene;
use crate::subscription_texts::{CANCELED, CHANGED, ENDED, PAID, SUBSCRIPTION, WELCOME};
use crate::survey_texts::{OPTIONS, SURVEY, THANKS};

/// A user who has an Id.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) person: &'static Person,
    pub(crate) id: String,
}

/// The Ids of what was prepared.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) support: User,
    users: Vec<User>,
    pub(crate) reason: String,
    pub(crate) subscription: String,
    pub(crate) survey: String,
}

impl Prepared {
    /// Somebody of the cast.
    pub(crate) fn user(&self, person: &Person) -> anyhow::Result<&User> {
        let found = self
            .users
            .iter()
            .find(|user| user.person.name == person.name);
        found.with_context(|| format!("{} was not created", person.name))
    }
}

pub(crate) async fn prepare(scene: &mut Scene) -> anyhow::Result<Prepared> {
    webhook(scene).await?;
    let (support, users) = people(scene).await?;
    let reason = reason(scene).await?;
    let letters = letters(scene).await?;
    let subscription = subscription(scene, &letters).await?;
    let survey = survey(scene, &letters).await?;
    Ok(Prepared {
        support,
        users,
        reason,
        subscription,
        survey,
    })
}

async fn webhook(scene: &mut Scene) -> anyhow::Result<()> {
    scene.page.step("Register a webhook");
    scene.page.say(
        "Other systems are told over HTTP. This one wants every event `user.action`, of all \
         tenants. The answer carries, this once, the secret that it can verify signatures with.",
    );
    let body = json!({"webhook": {
        "url": scene.receiver.url(),
        "global": true,
        "eventsEnabled": {"user.action": true},
        "connectTimeout": 1000,
        "readTimeout": 5000,
    }});
    let members = ["id", "signingSecret"];
    let answer = scene
        .call(Method::POST, "/api/webhook", Some(&body), &members)
        .await?;
    scene
        .receiver
        .verify_with(&answer.text("/webhook/signingSecret")?);
    Ok(())
}

async fn people(scene: &mut Scene) -> anyhow::Result<(User, Vec<User>)> {
    scene.page.step("Create users who read different languages");
    scene.page.say(
        "Every user lists the languages that he or she reads, best first. In mails and events \
         Beadle looks for each of them in turn: exactly, then without the country; in the end \
         it takes the default text.",
    );
    let mut users = Vec::new();
    for person in USERS {
        let first = users.is_empty();
        let answer = match first {
            true => {
                let members = ["id", "preferredLanguages"];
                let body = person.request();
                scene
                    .call(Method::POST, "/api/user", Some(&body), &members)
                    .await?
            }
            false => scene.call_unseen("/api/user", &person.request()).await?,
        };
        let id = answer.text("/user/id")?;
        users.push(User { person, id });
    }
    let answer = scene.call_unseen("/api/user", &SUPPORT.request()).await?;
    let id = answer.text("/user/id")?;
    scene.page.gap();
    scene
        .page
        .say("The others likewise, and one more user, Support, who will act upon them:");
    scene.page.gap();
    scene.page.item("user    reads            gets     because");
    for person in USERS {
        let Person { name, because, .. } = person;
        let reads = list(person.reads);
        let gets = person.language.key().unwrap_or("default");
        scene
            .page
            .item(format_args!("{name:7} {reads:16} {gets:8} {because}"));
    }
    let support = User {
        person: &SUPPORT,
        id,
    };
    Ok((support, users))
}

async fn reason(scene: &mut Scene) -> anyhow::Result<String> {
    scene.page.step("Create a reason");
    scene
        .page
        .say("Whoever acts can say why. Programs read the code, people the text.");
    let body = json!({"userActionReason": {
        "code": "PS",
        "text": default(&PAID),
        "localizedTexts": localized(&PAID),
    }});
    let path = "/api/user-action-reason";
    let answer = scene.call(Method::POST, path, Some(&body), &["id"]).await?;
    answer.text("/userActionReason/id")
}

/// The Ids of the templates.
struct Letters {
    welcome: String,
    changed: String,
    canceled: String,
    ended: String,
    thanks: String,
}

async fn letters(scene: &mut Scene) -> anyhow::Result<Letters> {
    scene.page.step("Create email templates");
    scene.page.say(
        "A template has a subject, a text and an HTML form, each with any number of \
         translations. What stands in braces is filled in for the reader.",
    );
    let path = "/api/email/template";
    let body = WELCOME.template();
    let answer = scene.call(Method::POST, path, Some(&body), &["id"]).await?;
    let welcome = answer.text("/emailTemplate/id")?;
    scene.page.gap();
    let others = [&CHANGED, &CANCELED, &ENDED, &THANKS].map(|letter| format!("[{}]", letter.name));
    scene.page.say(&format!("Likewise: {}.", others.join(", ")));
    Ok(Letters {
        welcome,
        changed: letter(scene, &CHANGED).await?,
        canceled: letter(scene, &CANCELED).await?,
        ended: letter(scene, &ENDED).await?,
        thanks: letter(scene, &THANKS).await?,
    })
}

async fn letter(scene: &Scene, letter: &Letter) -> anyhow::Result<String> {
    let answer = scene
        .call_unseen("/api/email/template", &letter.template())
        .await?;
    answer.text("/emailTemplate/id")
}

async fn subscription(scene: &mut Scene, letters: &Letters) -> anyhow::Result<String> {
    scene
        .page
        .step("Define what can be done to users: Subscribe");
    scene.page.say(
        "A temporal action starts, may be modified, and ends: by itself at its expiry, or \
         sooner when somebody cancels it. Each phase has a mail of its own. Here the events \
         are to carry the rendered mail as well.",
    );
    let body = json!({"userAction": {
        "name": default(&SUBSCRIPTION),
        "localizedNames": localized(&SUBSCRIPTION),
        "temporal": true,
        "sendEndEvent": true,
        "userEmailingEnabled": true,
        "includeEmailInEventJSON": true,
        "startEmailTemplateId": letters.welcome,
        "modifyEmailTemplateId": letters.changed,
        "cancelEmailTemplateId": letters.canceled,
        "endEmailTemplateId": letters.ended,
    }});
    define(scene, &body).await
}

async fn survey(scene: &mut Scene, letters: &Letters) -> anyhow::Result<String> {
    scene
        .page
        .step("Define another one, by options: Satisfaction survey");
    scene.page.say(
        "An action that is not temporal happens once. This one records which option was \
         chosen, and says thank you.",
    );
    let option = |texts| json!({"name": default(texts), "localizedNames": localized(texts)});
    let options: Vec<Value> = OPTIONS.iter().map(option).collect();
    let body = json!({"userAction": {
        "name": default(&SURVEY),
        "localizedNames": localized(&SURVEY),
        "options": options,
        "userEmailingEnabled": true,
        "startEmailTemplateId": letters.thanks,
    }});
    define(scene, &body).await
}

async fn define(scene: &Scene, body: &Value) -> anyhow::Result<String> {
    let members = ["id", "active"];
    let answer = scene
        .call(Method::POST, "/api/user-action", Some(body), &members)
        .await?;
    answer.text("/userAction/id")
}
