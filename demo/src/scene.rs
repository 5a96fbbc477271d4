//! What every step does: send a request and show it, wait for what follows and show that.

use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::Value;

use crate::cast::Person;
use crate::client::{Answer, Client};
use crate::layout::millis;
use crate::ledger::{Ledger, OwedEvent, OwedMail, Pace};
use crate::letters::{Letter, Translations, in_language};
use crate::mailbox::{Mail, Mailbox};
use crate::print::Page;
use crate::receiver::{Received, Receiver};

/// How long an arrival is waited for. Once something is missing the demo has failed, and
/// what is shown afterwards need not be waited for as long.
const PATIENCE: Duration = Duration::from_secs(15);
const IMPATIENCE: Duration = Duration::from_secs(1);

/// How much of what happens is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Whole,
    Briefly,
}

/// Everything that the steps work with.
pub(crate) struct Scene {
    pub(crate) page: Page,
    pub(crate) receiver: Receiver,
    pub(crate) mailbox: Mailbox,
    pub(crate) ledger: Ledger,
    client: Client,
    patience: Duration,
}

/// What a phase of a definition brings about.
#[derive(Debug)]
pub(crate) struct Chapter {
    /// Of the definition.
    pub(crate) name: &'static Translations<&'static str>,
    pub(crate) phase: &'static str,
    pub(crate) letter: &'static Letter,
}

/// Something that happens to a user, of which others are told.
#[derive(Debug, Clone)]
pub(crate) struct UserEvent {
    event: OwedEvent,
    mail: OwedMail,
}

impl UserEvent {
    /// `since` is when it was asked for, or when it is due.
    pub(crate) fn new(
        person: &Person,
        chapter: &Chapter,
        action_id: &str,
        since: Instant,
        pace: Pace,
    ) -> Self {
        let language = person.language;
        Self {
            event: OwedEvent {
                person: person.name,
                action_id: action_id.to_owned(),
                phase: chapter.phase,
                localized_action: in_language(chapter.name, language).to_owned(),
                since,
                pace,
            },
            mail: OwedMail {
                recipient: person.email(),
                subject: chapter.letter.subject(language, person.name),
                language: language.label(),
                since,
                pace,
            },
        }
    }

    fn after(&self, at: Instant) -> String {
        let took = millis(at.saturating_duration_since(self.event.since));
        match self.event.pace {
            Pace::Expiry => format!("{took} after the expiry"),
            Pace::Request | Pace::Retried => format!("after {took}"),
        }
    }
}

impl Scene {
    pub(crate) fn new(client: Client, receiver: Receiver, mailbox: Mailbox) -> Self {
        Self {
            page: Page::new(),
            receiver,
            mailbox,
            ledger: Ledger::default(),
            client,
            patience: PATIENCE,
        }
    }

    /// Sends a request, and shows it with `members` of the answer.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        members: &[&str],
    ) -> anyhow::Result<Answer> {
        self.page.request(&method, path, body);
        let answer = self.client.send(&method, path, body).await?;
        self.page.answer(&answer, members);
        Ok(answer)
    }

    /// Sends a request that is like the one before, and shows only how they differ.
    pub(crate) async fn call_alike(
        &self,
        path: &str,
        body: &Value,
        difference: &[&str],
        members: &[&str],
    ) -> anyhow::Result<Answer> {
        self.page.alike(&Method::POST, path, body, difference);
        let answer = self.client.send(&Method::POST, path, Some(body)).await?;
        self.page.answer(&answer, members);
        Ok(answer)
    }

    /// Sends a request that needs no showing.
    pub(crate) async fn call_unseen(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.client.send(&Method::POST, path, Some(body)).await
    }

    /// Puts down what has to arrive.
    pub(crate) fn expect(&mut self, expected: &UserEvent) {
        self.ledger.events.push(expected.event.clone());
        self.ledger.mails.push(expected.mail.clone());
    }

    /// Waits for what has to arrive, and shows it.
    pub(crate) async fn watch(&mut self, expected: &UserEvent, shown: Shown) {
        if expected.event.pace == Pace::Retried {
            self.watch_refusal(expected).await;
        }
        let owed = &expected.event;
        let received = self
            .webhook(|one| owed.concerns(one) && one.accepted())
            .await;
        match received {
            Some(received) if shown == Shown::Whole => {
                self.page
                    .whole_webhook(&received, &expected.after(received.at));
                self.page.gap();
            }
            Some(received) if owed.pace == Pace::Retried => {
                self.page.attempt(&received, &expected.after(received.at));
            }
            Some(received) => self.page.webhook(&received, &expected.after(received.at)),
            None => self.missing("the webhook"),
        }
        match self.mail(|mail| expected.mail.is(mail)).await {
            Some(mail) => {
                let took = mail.at.map(|at| expected.after(at));
                self.page.mail(&mail, &took.unwrap_or_default());
                if shown == Shown::Whole {
                    self.page.html(&mail);
                }
            }
            None => self.missing("the mail"),
        }
    }

    async fn watch_refusal(&mut self, expected: &UserEvent) {
        let owed = &expected.event;
        let refused = self
            .webhook(|one| owed.concerns(one) && !one.accepted())
            .await;
        match refused {
            Some(received) => self.page.attempt(&received, &expected.after(received.at)),
            None => self.missing("the first attempt"),
        }
    }

    async fn webhook(&self, is_wanted: impl Fn(&Received) -> bool) -> Option<Received> {
        let deadline = Instant::now() + self.patience;
        self.receiver.inbox.first(deadline, is_wanted).await
    }

    async fn mail(&self, is_wanted: impl Fn(&Mail) -> bool) -> Option<Mail> {
        let deadline = Instant::now() + self.patience;
        self.mailbox.inbox.first(deadline, is_wanted).await
    }

    fn missing(&mut self, what: &str) {
        self.page.missing(what);
        self.patience = IMPATIENCE;
    }
}
