//! Judges what a mail server says by the step at which it says it: who is at
//! fault, and whether another attempt can help.

use std::fmt;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::response::Response;

use crate::core::outcome::{ErrorClass, Failure, FailureKind, chain, find_cause, harmless};

/// How much of a server's answer is kept.
const ANSWER_BYTES: usize = 500;

/// What the library itself says of answers that it cannot read.
const OF_ITS_OWN: [&str; 4] = [
    "incomplete response",
    "SMTP response line too long",
    "SMTP response too large",
    "Unexpected number of challenges",
];

/// Where in the conversation something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Greeting and EHLO.
    Greeting,
    /// The upgrade to TLS.
    StartTls,
    /// The login.
    Login,
    /// `MAIL FROM`
    Sender,
    /// `RCPT TO`
    Recipient,
    /// `DATA` and the message.
    Message,
}

/// Whether the conversation is over, as opposed to one command refused.
pub fn ends_session(error: &SmtpError) -> bool {
    error.status().map(u16::from).is_none_or(|code| code == 421)
}

/// The server's answer as kept for people.
pub fn answer(response: &Response) -> String {
    let lines: Vec<_> = response.message().collect();
    let text = format!("{} {}", response.code(), lines.join(" "));
    harmless(text.as_bytes(), ANSWER_BYTES)
}

/// Judges an error by the step it came from.
pub fn failed(step: Step, error: &SmtpError) -> Failure {
    let message = format!("mail server at {step}: {}", words(error));
    match error.status().map(u16::from) {
        Some(code) => with_code(step, code, message),
        None => without_code(step, error, message),
    }
}

/// What is told of an error. The library repeats what it cannot read, but whoever named the
/// server is not to learn what other services say there.
fn words(error: &SmtpError) -> String {
    let told = chain(error);
    let why = told.strip_prefix("response error: ").unwrap_or_default();
    if error.is_response() && !OF_ITS_OWN.contains(&why) {
        return "that is no answer of a mail server".to_owned();
    }
    harmless(told.as_bytes(), ANSWER_BYTES)
}

/// Judges a refusal that the mail library has not seen.
pub fn refused(step: Step, code: u16, told: &str) -> Failure {
    let told = harmless(format!("{code} {told}").as_bytes(), ANSWER_BYTES);
    with_code(step, code, format!("mail server at {step}: {told}"))
}

fn with_code(step: Step, code: u16, message: String) -> Failure {
    let kind = kind_of_code(step, code, &message);
    Failure::new(class_of_code(step), message)
        .status(Some(code))
        .kind(kind)
}

fn class_of_code(step: Step) -> ErrorClass {
    match step {
        // The server offered an upgrade and then refused it.
        Step::StartTls => ErrorClass::Tls,
        _ => ErrorClass::Smtp,
    }
}

fn kind_of_code(step: Step, code: u16, told: &str) -> FailureKind {
    match (step, code) {
        // Greylisting, a full mailbox, an address that could not be looked up. What the system
        // (4.3) or its policy (4.7) says meets every other mail as well.
        (Step::Recipient, 450..=452) if !(told.contains(" 4.3.") || told.contains(" 4.7.")) => {
            FailureKind::Deferred
        }
        (_, ..500) => FailureKind::Retry,
        (Step::Login, _) | (_, 530 | 534 | 535 | 538) => FailureKind::Credentials,
        // Nothing was said about this mail yet: a server that is being mended.
        (Step::Greeting | Step::StartTls, _) => FailureKind::Retry,
        // A full mailbox, or our own reputation (5.7): the address itself may
        // be good.
        (Step::Recipient, 552) => FailureKind::Refused,
        (Step::Recipient, _) if told.contains(" 5.7.") => FailureKind::Refused,
        (Step::Recipient, _) => FailureKind::BadRecipient,
        (Step::Sender | Step::Message, _) => FailureKind::Refused,
    }
}

fn without_code(step: Step, error: &SmtpError, message: String) -> Failure {
    if find_cause::<rustls::Error>(error).is_some() || error.is_tls() {
        return Failure::new(ErrorClass::Tls, message);
    }
    if error.is_timeout() {
        return Failure::new(ErrorClass::Timeout, message);
    }
    match step {
        // The server knows no login that we know.
        Step::Login if error.is_client() => {
            Failure::new(ErrorClass::Smtp, message).kind(FailureKind::Credentials)
        }
        Step::StartTls if !error.is_response() => Failure::new(ErrorClass::Tls, message),
        _ if error.is_client() => Failure::new(ErrorClass::Smtp, message),
        // The library tells a closed connection and gibberish apart by text only.
        _ if error.is_response() && !message.contains("incomplete response") => {
            Failure::new(ErrorClass::Smtp, message)
        }
        _ => Failure::new(ErrorClass::Connect, message),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::StartTls => "STARTTLS",
            Self::Login => "login",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Message => "DATA",
        })
    }
}
