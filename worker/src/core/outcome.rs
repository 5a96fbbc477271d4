//! What came of one delivery attempt, as plain data: the outcome, the class
//! of its failure, and what the failure asks of the sender. Shared by the
//! webhook and the mail side. When to try again is decided in
//! [`crate::core::policy`]; what is written down is decided by whoever settles.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::Duration;

/// Where an exchange broke. The text forms are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The host's name could not be resolved.
    Dns,
    /// No connection, or it went away before an answer came.
    Connect,
    /// The handshake failed, or the certificate is not trusted.
    Tls,
    /// The time for connecting or for the whole exchange ran out.
    Timeout,
    /// An answer came, and it is not a success or not HTTP.
    Http,
    /// The address is private and not allowed by the operator.
    Blocked,
    /// The head promised success, but the body ended early or ran too long.
    Body,
    /// The mail server refused, or does not speak SMTP.
    Smtp,
    /// The mail could not be built.
    Render,
    /// Anything else.
    Unknown,
}

impl ErrorClass {
    /// Every class, for tables and tests.
    pub const ALL: [Self; 10] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Http,
        Self::Blocked,
        Self::Body,
        Self::Smtp,
        Self::Render,
        Self::Unknown,
    ];

    /// The lower-case text that is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Http => "http",
            Self::Blocked => "blocked",
            Self::Body => "body",
            Self::Smtp => "smtp",
            Self::Render => "render",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no [`ErrorClass`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an error class")]
pub struct UnknownClass(String);

impl FromStr for ErrorClass {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| UnknownClass(text.to_owned()))
    }
}

/// What a failure asks of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Try this delivery again as scheduled.
    Retry,
    /// This recipient is put off: try again as scheduled. Others may be reached meanwhile.
    Deferred,
    /// Try again as scheduled, and let the whole destination wait: it is overloaded.
    Throttle,
    /// The receiver is gone for good (410): disable the webhook, hold its rows.
    Gone,
    /// The server refused our credentials. Every mail of this server meets the
    /// same fate until somebody mends them; the mail itself may be retried.
    Credentials,
    /// The message was refused for good; another attempt changes nothing.
    Refused,
    /// This recipient was refused for good; others may still be reached.
    BadRecipient,
}

impl FailureKind {
    /// What a webhook receiver's status (outside 200 to 299) asks for.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            410 => Self::Gone,
            429 | 502 | 504 => Self::Throttle,
            _ => Self::Retry,
        }
    }

    /// Whether a later attempt of the same delivery can succeed.
    #[must_use]
    pub fn may_retry(self) -> bool {
        matches!(
            self,
            Self::Retry | Self::Deferred | Self::Throttle | Self::Credentials
        )
    }
}

/// A failed attempt, told so that an operator can act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where it broke.
    pub class: ErrorClass,
    /// One line with its chain of causes. Holds no secret and no body.
    pub message: String,
    /// The HTTP status or SMTP code, if the peer answered with one.
    pub status_code: Option<u16>,
    /// How long the peer asked us to wait.
    pub retry_after: Option<Duration>,
    /// What to do about it.
    pub kind: FailureKind,
}

impl Failure {
    /// A failure without an answer of the peer, to be retried as scheduled.
    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            status_code: None,
            retry_after: None,
            kind: FailureKind::Retry,
        }
    }

    /// The same failure with another kind.
    #[must_use]
    pub fn kind(mut self, kind: FailureKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same failure with the peer's status or reply code.
    #[must_use]
    pub fn status(mut self, status_code: Option<u16>) -> Self {
        self.status_code = status_code;
        self
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The peer took it.
    Delivered,
    /// The peer did not take it, as far as we know.
    Failed(Failure),
}

impl Outcome {
    /// Whether the peer took it.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered)
    }

    /// The failure, if it is one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Delivered => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

/// One attempt as it went, a POST or a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What came of it.
    pub outcome: Outcome,
    /// From the start to the end of the peer's answer.
    pub duration: Duration,
    /// The HTTP status or SMTP code, if the peer answered.
    pub status_code: Option<u16>,
    /// The start of the peer's answer, made harmless.
    pub excerpt: Option<String>,
}

impl Exchange {
    /// An attempt that ended in a failure, with nothing else to tell.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        Self {
            status_code: failure.status_code,
            outcome: Outcome::Failed(failure),
            duration: Duration::ZERO,
            excerpt: None,
        }
    }
}

/// An error and its causes on one line, each said once: many libraries repeat
/// the text of their source in their own.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.contains(&text) {
            // Writing to a string cannot fail.
            let _ = write!(line, ": {text}");
        }
        source = cause.source();
    }
    line
}

/// The first error of type `E` in the chain of `error`, itself included.
///
/// An `io::Error` hides what it wraps: its `source` skips the wrapped error
/// itself, so that is looked into as well.
pub fn find_cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut current = Some(error);
    while let Some(cause) = current {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if let Some(inner) = wrapped {
            let inner: &(dyn Error + 'static) = inner;
            if let Some(found) = find_cause::<E>(inner) {
                return Some(found);
            }
        }
        current = cause.source();
    }
    None
}

/// Text from a stranger, made fit for a log line, a database column and a
/// terminal: at most `limit` bytes, control and direction-changing characters
/// replaced, except line breaks and tabs.
#[must_use]
pub fn harmless(bytes: &[u8], limit: usize) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        let safe = if is_harmless(character) {
            character
        } else {
            char::REPLACEMENT_CHARACTER
        };
        if text.len() + safe.len_utf8() > limit {
            break;
        }
        text.push(safe);
    }
    text
}

fn is_harmless(character: char) -> bool {
    let changes_direction = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    matches!(character, '\n' | '\t') || !(character.is_control() || changes_direction)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn every_class_reads_back_what_it_writes() {
        for class in ErrorClass::ALL {
            assert_eq!(class.to_string().parse(), Ok(class));
            assert_eq!(class.as_str(), class.as_str().to_lowercase());
        }
        let error = "DNS".parse::<ErrorClass>().unwrap_err();
        assert_eq!(error.to_string(), "`DNS` is not an error class");
    }

    #[test]
    fn a_status_tells_what_it_asks_for() {
        for (status, kind) in [
            (301, FailureKind::Retry),
            (400, FailureKind::Retry),
            (410, FailureKind::Gone),
            (429, FailureKind::Throttle),
            (500, FailureKind::Retry),
            (502, FailureKind::Throttle),
            (503, FailureKind::Retry),
            (504, FailureKind::Throttle),
        ] {
            assert_eq!(FailureKind::of_status(status), kind, "{status}");
        }
        assert!(FailureKind::Throttle.may_retry());
        assert!(!FailureKind::BadRecipient.may_retry());
    }

    #[test]
    fn a_chain_says_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("no answer: {0}")]
        struct Outer(#[source] io::Error);

        let inner = io::Error::other(UnknownClass("x".to_owned()));
        let error = Outer(inner);
        assert_eq!(chain(&error), "no answer: `x` is not an error class");
        assert!(find_cause::<UnknownClass>(&error).is_some());
        assert!(find_cause::<std::fmt::Error>(&error).is_none());
    }

    #[test]
    fn strange_text_is_made_harmless_and_short() {
        assert_eq!(harmless(b"a\x1b[31mb\0\r\nc\td", 100), "a�[31mb��\nc\td");
        assert_eq!(harmless("x\u{202e}y".as_bytes(), 100), "x�y");
        assert_eq!(harmless(&[0xff; 1000], 10).len(), 9);
        assert_eq!(harmless("äää".as_bytes(), 5), "ää");
    }
}
