//! What has to arrive, and what did: the demo succeeds only if the two agree.

use std::time::{Duration, Instant};

use crate::mailbox::Mail;
use crate::receiver::Received;

/// What an arrival is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The moment that the request was sent.
    Request,
    /// The same, but the receiver refuses the first attempt.
    Retried,
    /// The expiry of the action.
    Expiry,
}

/// An event that the receiver has to accept, once.
#[derive(Debug, Clone)]
pub(crate) struct OwedEvent {
    pub(crate) person: &'static str,
    pub(crate) action_id: String,
    pub(crate) phase: &'static str,
    /// The action's name in the user's language.
    pub(crate) localized_action: String,
    pub(crate) since: Instant,
    pub(crate) pace: Pace,
}

impl OwedEvent {
    /// Whether an attempt is one for this event, accepted or not.
    pub(crate) fn concerns(&self, received: &Received) -> bool {
        received.text("actionId") == self.action_id && received.text("phase") == self.phase
    }

    fn told(&self) -> String {
        format!("the webhook of phase {} for {}", self.phase, self.person)
    }
}

/// A mail that has to arrive, once.
#[derive(Debug, Clone)]
pub(crate) struct OwedMail {
    pub(crate) recipient: String,
    /// Tells the letter and the language.
    pub(crate) subject: String,
    pub(crate) language: &'static str,
    pub(crate) since: Instant,
    pub(crate) pace: Pace,
}

impl OwedMail {
    pub(crate) fn is(&self, mail: &Mail) -> bool {
        mail.recipient == self.recipient && mail.subject == self.subject
    }

    fn told(&self) -> String {
        format!("the mail [{}] to {}", self.subject, self.recipient)
    }
}

/// Everything that has to arrive.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) events: Vec<OwedEvent>,
    pub(crate) mails: Vec<OwedMail>,
}

/// One line of the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) expected: usize,
    pub(crate) arrived: usize,
    /// Of webhooks only.
    pub(crate) verified: usize,
}

/// Lines of the summary, in the order in which their names came up.
#[derive(Debug, Default)]
pub(crate) struct Tallies(pub(crate) Vec<(&'static str, Tally)>);

impl Tallies {
    /// Counts one more of what is expected, with what came of it.
    fn count(&mut self, name: &'static str, arrived: bool, verified: bool) {
        let one = Tally {
            expected: 1,
            arrived: usize::from(arrived),
            verified: usize::from(verified),
        };
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, tally)) => {
                tally.expected += one.expected;
                tally.arrived += one.arrived;
                tally.verified += one.verified;
            }
            None => self.0.push((name, one)),
        }
    }
}

/// How the two agree.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By phase.
    pub(crate) events: Tallies,
    /// By language.
    pub(crate) mails: Tallies,
    pub(crate) attempts_refused: usize,
    pub(crate) problems: Vec<String>,
    pub(crate) to_webhook: Vec<Duration>,
    pub(crate) to_mail: Vec<Duration>,
    pub(crate) after_expiry: Vec<Duration>,
}

impl Ledger {
    pub(crate) fn compare(&self, received: &[Received], mails: &[Mail]) -> Report {
        let mut report = Report::default();
        for attempt in received {
            report.check_attempt(attempt);
            if !self.events.iter().any(|owed| owed.concerns(attempt)) {
                let phase = attempt.text("phase");
                report
                    .problems
                    .push(format!("nobody expected a webhook of phase `{phase}`"));
            }
        }
        for owed in &self.events {
            report.settle_event(owed, received);
        }
        for mail in mails {
            if !self.mails.iter().any(|owed| owed.is(mail)) {
                let Mail {
                    subject, recipient, ..
                } = mail;
                report.problems.push(format!(
                    "nobody expected the mail [{subject}] to {recipient}"
                ));
            }
        }
        for owed in &self.mails {
            report.settle_mail(owed, mails);
        }
        report
    }
}

impl Report {
    fn check_attempt(&mut self, attempt: &Received) {
        if let Err(error) = &attempt.verified {
            self.problems
                .push(format!("a webhook has a bad signature: {error}"));
        } else if !attempt.accepted() {
            self.attempts_refused += 1;
        }
        if !attempt.forgery_refused {
            self.problems
                .push("a signature fits a forged body too".to_owned());
        }
        if attempt.header("webhook-id") != attempt.text("id") {
            self.problems
                .push("a webhook-id is not the event's id".to_owned());
        }
    }

    fn settle_event(&mut self, owed: &OwedEvent, received: &[Received]) {
        let attempts: Vec<&Received> = received.iter().filter(|one| owed.concerns(one)).collect();
        let accepted: Vec<&Received> = attempts
            .iter()
            .copied()
            .filter(|one| one.accepted())
            .collect();
        let first = accepted.first();
        let verified = first.is_some_and(|one| one.verified.is_ok());
        self.events.count(owed.phase, first.is_some(), verified);
        let Some(first) = first else {
            self.problems.push(format!("{} is missing", owed.told()));
            return;
        };
        if accepted.len() > 1 {
            self.problems
                .push(format!("{} came {} times", owed.told(), accepted.len()));
        }
        if attempts.iter().any(|one| one.body != first.body) {
            self.problems
                .push(format!("{} changed from attempt to attempt", owed.told()));
        }
        if owed.pace == Pace::Retried && attempts.len() < 2 {
            self.problems
                .push(format!("{} was not tried twice", owed.told()));
        }
        let localized = first.text("localizedAction");
        if localized != owed.localized_action {
            let expected = &owed.localized_action;
            self.problems.push(format!(
                "{} says `{localized}` for `{expected}`",
                owed.told()
            ));
        }
        let took = first.at.saturating_duration_since(owed.since);
        match owed.pace {
            Pace::Request => self.to_webhook.push(took),
            Pace::Expiry => self.after_expiry.push(took),
            Pace::Retried => {}
        }
    }

    fn settle_mail(&mut self, owed: &OwedMail, mails: &[Mail]) {
        let mut found = mails.iter().filter(|mail| owed.is(mail));
        let first = found.next();
        self.mails.count(owed.language, first.is_some(), false);
        let Some(first) = first else {
            self.problems.push(format!("{} is missing", owed.told()));
            return;
        };
        let more = found.count();
        if more > 0 {
            self.problems
                .push(format!("{} came {} times", owed.told(), more + 1));
        }
        if first.text.is_empty() || first.html.is_empty() {
            self.problems
                .push(format!("{} lacks its text or its HTML", owed.told()));
        }
        if first.text.contains("{{") || first.html.contains("{{") {
            self.problems
                .push(format!("{} is not rendered", owed.told()));
        }
        if let (Some(at), Pace::Request | Pace::Retried) = (first.at, owed.pace) {
            self.to_mail.push(at.saturating_duration_since(owed.since));
        }
    }
}

#[cfg(test)]
mod tests;
