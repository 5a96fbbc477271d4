//! The users' mail server: catches every message instead of passing it on.

use std::sync::Arc;
use std::time::Instant;

use beadle_tests::MailServer;
use mail_parser::{Address, Message, MessageParser};

use crate::inbox::Inbox;

/// A caught message, decoded as a mail program would.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    /// When it came; none only in tests.
    pub(crate) at: Option<Instant>,
    pub(crate) from: String,
    pub(crate) to: String,
    /// The address that the message was delivered to.
    pub(crate) recipient: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// The server, on a free port of this machine.
#[derive(Clone)]
pub(crate) struct Mailbox {
    server: Arc<MailServer>,
    pub(crate) inbox: Inbox<Mail>,
}

impl Mailbox {
    pub(crate) async fn start() -> Self {
        let server = Arc::new(MailServer::start().await);
        let caught = Arc::clone(&server);
        let inbox = Inbox::new(server.arrivals(), move || {
            let all = caught.mails().into_iter();
            all.map(|mail| decoded(&mail.to, &mail.raw, mail.arrived))
                .collect()
        });
        Self { server, inbox }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }
}

fn decoded(to: &[String], raw: &[u8], at: Instant) -> Mail {
    let message = MessageParser::default().parse(raw).unwrap_or_default();
    Mail {
        at: Some(at),
        from: first(message.from()),
        to: first(message.to()),
        recipient: to.join(", "),
        subject: message.subject().unwrap_or_default().to_owned(),
        text: text(&message),
        html: html(&message),
    }
}

/// `Name <address>`, or the address alone.
fn first(addresses: Option<&Address<'_>>) -> String {
    let Some(first) = addresses.and_then(Address::first) else {
        return String::new();
    };
    let address = first.address().unwrap_or_default();
    match first.name() {
        Some(name) => format!("{name} <{address}>"),
        None => address.to_owned(),
    }
}

/// The text part; nothing if there is only HTML, which the parser would turn into text.
fn text(message: &Message<'_>) -> String {
    let is_text = message
        .text_part(0)
        .is_some_and(|part| part.is_text() && !part.is_text_html());
    let text = message.body_text(0).filter(|_| is_text);
    text.unwrap_or_default().trim_end().replace("\r\n", "\n")
}

fn html(message: &Message<'_>) -> String {
    let is_html = message.html_part(0).is_some_and(|part| part.is_text_html());
    let html = message.body_html(0).filter(|_| is_html);
    html.unwrap_or_default().trim_end().replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(message: &str) -> Mail {
        let raw = message.replace('\n', "\r\n").into_bytes();
        decoded(&["joao@example.com".to_owned()], &raw, Instant::now())
    }

    #[test]
    fn encoded_words_and_parts_are_decoded() {
        let mail = decode(
            "From: News <news@example.com>\n\
             To: =?utf-8?b?Sm/Do28=?= <joao@example.com>\n\
             Subject: =?utf-8?q?Ol=C3=A1?=\nMIME-Version: 1.0\n\
             Content-Type: multipart/alternative; boundary=b\n\n\
             --b\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: quoted-printable\n\nOl=C3=A1!\n\
             --b\nContent-Type: text/html; charset=utf-8\n\n<p>hi</p>\n--b--\n",
        );
        assert_eq!(mail.from, "News <news@example.com>");
        assert_eq!(mail.to, "João <joao@example.com>");
        assert_eq!(mail.recipient, "joao@example.com");
        assert_eq!(mail.subject, "Olá");
        assert_eq!(mail.text, "Olá!");
        assert_eq!(mail.html, "<p>hi</p>");
    }

    #[test]
    fn html_alone_is_not_taken_for_text() {
        let mail = decode("Subject: x\nContent-Type: text/html\n\n<p>hi</p>\n");
        assert_eq!((mail.text.as_str(), mail.html.as_str()), ("", "<p>hi</p>"));
    }
}
