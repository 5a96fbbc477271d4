//! The demo on paper: writes to standard output what is laid out elsewhere.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use hyper::Method;
use serde_json::{Map, Value, json};

use crate::client::Answer;
use crate::layout::{WIDTH, compact, indented, json as laid_out, millis, shortened, wrapped};
use crate::mailbox::Mail;
use crate::receiver::Received;

/// Columns that what belongs to a step is moved to the right by.
const INDENT: usize = 3;

/// How a text stands out, on terminals only.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Bold,
    Dim,
    Good,
    Bad,
}

/// Standard output, and the number of the last step.
#[derive(Debug)]
pub(crate) struct Page {
    colour: bool,
    steps: usize,
}

impl Page {
    pub(crate) fn new() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colour: std::io::stdout().is_terminal() && !unwanted,
            steps: 0,
        }
    }

    pub(crate) fn line(&self, text: impl Display) {
        // Whoever closes the other end has read enough; the demo goes on for its exit code.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    pub(crate) fn styled(&self, style: Style, text: impl Display) -> String {
        if !self.colour {
            return text.to_string();
        }
        let code = match style {
            Style::Bold => 1,
            Style::Dim => 2,
            Style::Good => 32,
            Style::Bad => 31,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// The heading of the next step.
    pub(crate) fn step(&mut self, heading: &str) {
        self.steps += 1;
        let heading = format!("{}. {heading}", self.steps);
        self.heading(&heading);
    }

    pub(crate) fn heading(&self, heading: &str) {
        let rule = "─".repeat(WIDTH.saturating_sub(heading.chars().count() + 1));
        self.line("");
        self.line(format_args!(
            "{} {}",
            self.styled(Style::Bold, heading),
            self.styled(Style::Dim, rule)
        ));
    }

    /// Prose.
    pub(crate) fn say(&self, text: &str) {
        for line in wrapped(text, INDENT) {
            self.line(line);
        }
    }

    /// A line of a table or a list.
    pub(crate) fn item(&self, text: impl Display) {
        self.line(indented(INDENT, &text.to_string()));
    }

    pub(crate) fn gap(&self) {
        self.line("");
    }

    pub(crate) fn request(&self, method: &Method, path: &str, body: Option<&Value>) {
        self.gap();
        let call = format!("{method} {path}");
        self.item(format_args!("--> {}", self.styled(Style::Bold, call)));
        if let Some(body) = body {
            for line in laid_out(body, INDENT + 4) {
                self.line(line);
            }
        }
    }

    /// A request that is like the one before, except for these members.
    pub(crate) fn alike(&self, method: &Method, path: &str, body: &Value, members: &[&str]) {
        self.request(method, path, excerpt(body, members).as_ref());
        self.detail("(the rest as before)");
    }

    /// An answer, of which only some members are of interest here.
    pub(crate) fn answer(&self, answer: &Answer, members: &[&str]) {
        let took = millis(answer.took);
        self.item(format_args!("<-- {} in {took}", answer.status));
        if let Some(excerpt) = excerpt(&answer.body, members) {
            for line in laid_out(&excerpt, INDENT + 4) {
                self.line(line);
            }
        }
    }

    /// A webhook with everything that came.
    pub(crate) fn whole_webhook(&self, received: &Received, took: &str) {
        self.gap();
        self.item(format_args!("==> webhook, {took}"));
        for name in [
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "user-agent",
        ] {
            self.detail(format_args!("{name}: {}", received.header(name)));
        }
        for line in laid_out(&json!({"event": received.event}), INDENT + 4) {
            self.line(line);
        }
        self.detail(self.verdict(received));
        if received.forgery_refused {
            self.detail("The same signature with one byte of the body changed: refused.");
        }
    }

    /// A webhook in one line.
    pub(crate) fn webhook(&self, received: &Received, took: &str) {
        let phase = received.text("phase");
        let name = received.text("localizedAction");
        let verdict = self.verdict(received);
        self.item(format_args!(
            "==> webhook, phase {phase}, {name:?}, {took}. {verdict}"
        ));
    }

    /// One of several attempts, with what tells that they are the same.
    pub(crate) fn attempt(&self, received: &Received, took: &str) {
        let id = received.header("webhook-id");
        self.item(format_args!("==> webhook {id}, {took}:"));
        let verdict = self.verdict(received);
        self.detail(format_args!(
            "answered with {}. {verdict}",
            received.answered
        ));
    }

    fn verdict(&self, received: &Received) -> String {
        match &received.verified {
            Ok(()) => self.styled(Style::Good, "Signature verified."),
            Err(error) => self.styled(Style::Bad, format_args!("BAD SIGNATURE: {error}.")),
        }
    }

    /// A mail as its reader sees it.
    pub(crate) fn mail(&self, mail: &Mail, took: &str) {
        self.item(format_args!("==> mail {took}"));
        let headers = [
            ("From", &mail.from),
            ("To", &mail.to),
            ("Subject", &mail.subject),
        ];
        for (name, value) in headers {
            self.quoted(format_args!("{name}: {}", self.styled(Style::Bold, value)));
        }
        self.quoted("");
        mail.text.lines().for_each(|line| self.quoted(line));
        if mail.html.is_empty() {
            self.detail(self.styled(Style::Bad, "There is no HTML part."));
        }
    }

    /// The HTML part of a mail, which is shown once.
    pub(crate) fn html(&self, mail: &Mail) {
        self.detail(format_args!(
            "and the same as HTML ({} bytes):",
            mail.html.len()
        ));
        for line in mail.html.lines() {
            self.quoted(self.styled(Style::Dim, shortened(line, WIDTH - 9)));
        }
    }

    pub(crate) fn missing(&self, what: &str) {
        let text = format!("!!! {what} did not arrive in time");
        self.item(self.styled(Style::Bad, text));
    }

    pub(crate) fn detail(&self, text: impl Display) {
        self.line(indented(INDENT + 4, &text.to_string()));
    }

    fn quoted(&self, text: impl Display) {
        let bar = self.styled(Style::Dim, "│");
        let line = format!("{bar} {text}");
        self.detail(line.trim_end());
    }
}

/// The wrapped object with nothing but `members`; none, if there are none of them.
fn excerpt(body: &Value, members: &[&str]) -> Option<Value> {
    let (wrapper, object) = body.as_object()?.iter().next()?;
    if members.is_empty() {
        return None;
    }
    let Some(object) = object.as_object() else {
        return Some(body.clone());
    };
    let kept = members.iter().filter_map(|name| {
        let value = object.get(*name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Some(json!({wrapper: kept.collect::<Map<_, _>>()}))
}

/// For lists: JSON in one line.
pub(crate) fn list(items: &[&str]) -> String {
    compact(&json!(items))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_down_to_what_matters() {
        let body = json!({"user": {"id": "1", "data": {}, "email": "a@b"}});
        let cut = excerpt(&body, &["id", "phone"]);
        assert_eq!(cut, Some(json!({"user": {"id": "1"}})));
        assert_eq!(excerpt(&body, &[]), None);
        let list = json!({"actions": []});
        assert_eq!(excerpt(&list, &["id"]), Some(list));
        assert_eq!(excerpt(&Value::Null, &["id"]), None);
    }
}
