//! Judges what a mail server says by the step at which it says it: who is at
//! fault, and whether another attempt can help.

use std::fmt;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::response::Response;

use crate::outcome::{ErrorClass, Failure, Verdict, chain, find_cause, harmless};

/// How much of a server's answer is kept.
const ANSWER_BYTES: usize = 500;

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
    let told = harmless(chain(error).as_bytes(), ANSWER_BYTES);
    let message = format!("mail server at {step}: {told}");
    match error.status().map(u16::from) {
        Some(code) => with_code(step, code, message),
        None => without_code(step, error, message),
    }
}

/// Judges a refusal that the mail library has not seen.
pub fn refused(step: Step, code: u16, told: &str) -> Failure {
    let told = harmless(format!("{code} {told}").as_bytes(), ANSWER_BYTES);
    with_code(step, code, format!("mail server at {step}: {told}"))
}

fn with_code(step: Step, code: u16, message: String) -> Failure {
    let verdict = verdict_of_code(step, code, &message);
    Failure::new(class_of_code(step), message)
        .status(Some(code))
        .verdict(verdict)
}

fn class_of_code(step: Step) -> ErrorClass {
    match step {
        // The server offered an upgrade and then refused it.
        Step::StartTls => ErrorClass::Tls,
        _ => ErrorClass::Smtp,
    }
}

fn verdict_of_code(step: Step, code: u16, told: &str) -> Verdict {
    match (step, code) {
        (_, 421) => Verdict::Retry,
        // A full mailbox, a grey list: who shares the server has nothing to do with it.
        (Step::Recipient, ..500) => Verdict::RetryAlone,
        (_, ..500) => Verdict::Retry,
        (Step::Login, _) | (_, 530 | 534 | 535 | 538) => Verdict::Credentials,
        // Nothing was said about this mail yet: a server that is being mended.
        (Step::Greeting | Step::StartTls, _) => Verdict::Retry,
        (Step::Recipient, _) if blames_recipient(code, told) => Verdict::BadRecipient,
        (Step::Recipient | Step::Sender | Step::Message, _) => Verdict::Refused,
    }
}

/// Whether a refusal at `RCPT TO` is for the address's own sake. Many servers say only here
/// what they have against the sender, the client or the state of things, and then every
/// address would seem bad: when in doubt, it is not.
fn blames_recipient(code: u16, told: &str) -> bool {
    let told = told.to_lowercase();
    if told.contains("sender") || told.contains("relay") {
        return false;
    }
    match enhanced(&told) {
        // Addresses; 7 and 8 are the sender's.
        Some([_, 1, detail]) => !matches!(detail, 7 | 8),
        // The mailbox is disabled.
        Some([_, 2, 1]) => true,
        Some(_) => false,
        None => matches!(code, 550 | 551 | 553),
    }
}

/// The code of RFC 3463 in an answer, such as 5.1.1.
fn enhanced(told: &str) -> Option<[u16; 3]> {
    let numbers = |word: &str| -> Option<[u16; 3]> {
        let numbers: Result<Vec<u16>, _> = word.split('.').map(str::parse).collect();
        numbers.ok()?.try_into().ok()
    };
    told.split_whitespace().find_map(numbers)
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
            Failure::new(ErrorClass::Smtp, message).verdict(Verdict::Credentials)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_bad_only_if_the_server_says_so_of_it() {
        for (bad, answer) in [
            (true, "550 5.1.1 <a@b.example>: User unknown"),
            (true, "550 5.1.10 no such address"),
            (true, "550 5.2.1 mailbox disabled"),
            (true, "550 No such user here"),
            (true, "553 mailbox name not allowed"),
            (false, "552 5.2.2 mailbox full"),
            (false, "552 mailbox full"),
            (false, "554 5.7.1 listed at 192.0.2.1"),
            (false, "550 5.7.1 not authenticated"),
            (false, "550 5.1.8 Domain of mail from address not found"),
            (false, "550 5.1.0 Sender address rejected"),
            (false, "550 relay not permitted"),
            (false, "503 5.5.1 MAIL first"),
            (false, "501 syntax error"),
        ] {
            let (code, told) = answer.split_once(' ').unwrap();
            let failure = refused(Step::Recipient, code.parse().unwrap(), told);
            let wanted = match bad {
                true => Verdict::BadRecipient,
                false => Verdict::Refused,
            };
            assert_eq!(failure.verdict, wanted, "{answer}");
        }
    }

    #[test]
    fn a_server_that_is_about_to_close_is_no_matter_of_the_recipient() {
        let verdict = |code| refused(Step::Recipient, code, "later").verdict;
        assert_eq!(verdict(450), Verdict::RetryAlone);
        assert_eq!(verdict(421), Verdict::Retry);
    }
}
