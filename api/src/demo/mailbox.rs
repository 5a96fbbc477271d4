//! The users' mail server: catches every message instead of passing it on.

use std::net::SocketAddr;
use std::time::Instant;

use mail_parser::{Address, Message, MessageParser};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};

use super::inbox::Inbox;
use super::smtp::{self, Envelope};

/// A caught message, decoded as a mail program would.
#[derive(Debug, Clone, Default)]
pub(super) struct Mail {
    /// When it came; none only in tests.
    pub(super) at: Option<Instant>,
    pub(super) from: String,
    pub(super) to: String,
    /// The address that the message was delivered to.
    pub(super) recipient: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// The server, on a free port of this machine.
#[derive(Debug, Clone)]
pub(super) struct Mailbox {
    address: SocketAddr,
    pub(super) inbox: Inbox<Mail>,
}

impl Mailbox {
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mailbox = Self {
            address: listener.local_addr()?,
            inbox: Inbox::new(),
        };
        let inbox = mailbox.inbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, inbox.clone()));
            }
        });
        Ok(mailbox)
    }

    pub(super) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }
}

async fn serve(mut stream: TcpStream, inbox: Inbox<Mail>) {
    let (read, write) = stream.split();
    // A sender that goes away is its own business: what it owed will be missing.
    let _ = smtp::converse(BufReader::new(read), write, |envelope| {
        inbox.put(decoded(&envelope, Instant::now()));
    })
    .await;
}

fn decoded(envelope: &Envelope, at: Instant) -> Mail {
    let message = MessageParser::default().parse(&envelope.message);
    let message = message.unwrap_or_default();
    Mail {
        at: Some(at),
        from: first(message.from()),
        to: first(message.to()),
        recipient: envelope.to.join(", "),
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
        let envelope = Envelope {
            to: vec!["joao@example.com".to_owned()],
            message: message.replace('\n', "\r\n").into_bytes(),
        };
        decoded(&envelope, Instant::now())
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
