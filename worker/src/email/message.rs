//! Builds the MIME message. The same values give the same bytes: a retry
//! sends what was sent before, and nothing in it is drawn or clocked here.

use std::time::{Duration, UNIX_EPOCH};

use beadle_common::render::on_one_line;
use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{Date, HeaderName, HeaderValue, MessageId};
use lettre::message::{Mailbox as LettreMailbox, MessageBuilder, MultiPart, SinglePart};
use uuid::Uuid;

use super::address::{AddressError, parse_address};
use super::encoded_words::{encoded, is_treacherous};

/// Headers that say who, when and how; a tenant's additional ones cannot
/// replace them and are left out.
const RESERVED: [&str; 14] = [
    "auto-submitted",
    "bcc",
    "cc",
    "date",
    "dkim-signature",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// Families of such headers.
const RESERVED_PREFIXES: [&str; 3] = ["arc-", "content-", "resent-"];

/// An address with the name shown beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// `name@domain`
    pub address: String,
    /// The name of the person or sender.
    pub display: Option<String>,
}

/// A rendered mail, before it is a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingEmail {
    /// Stable over retries, with or without angle brackets.
    pub message_id: String,
    /// When the mail was made, in milliseconds since the epoch.
    pub date_millis: i64,
    /// The sender that is shown.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// The recipients that are shown.
    pub to: Vec<Mailbox>,
    /// Further recipients that are shown.
    pub cc: Vec<Mailbox>,
    /// One line; line breaks that a template left in it become spaces.
    pub subject: String,
    /// The text part; empty for none.
    pub text: String,
    /// The HTML part; empty for none.
    pub html: String,
    /// Additional headers of the tenant.
    pub headers: Vec<(String, String)>,
}

/// The mail cannot become a message. Another attempt changes nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// An address is not one.
    #[error("{field}: {source}")]
    Address {
        /// Which of them.
        field: &'static str,
        /// What is wrong.
        source: AddressError,
    },
    /// The message id has a form that would break the header.
    #[error("message id `{0}` is not of the form `id@domain`")]
    MessageId(String),
    /// The date is out of the range that mail can express.
    #[error("date {0} cannot be written in a mail")]
    Date(i64),
    /// A header's name has characters that no header may have.
    #[error("header name `{0}` is not valid; use jobs, digits and hyphens")]
    HeaderName(String),
    /// A header's value holds a line break or another control character.
    #[error("header `{0}` holds a line break or control character")]
    HeaderValue(String),
    /// The mail library found something else.
    #[error("cannot build the message: {0}")]
    Build(String),
}

impl OutgoingEmail {
    /// The message as it goes on the wire.
    ///
    /// # Errors
    /// If an address, the message id, the date or a header is not usable.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MessageError> {
        let message_id = bracketed(&self.message_id)?;
        let builder = self.addressed()?;
        let builder = builder
            .raw_header(subject(&self.subject))
            .header(self.date()?)
            .header(MessageId::from(message_id.clone()))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        let builder = self.with_own_headers(builder)?;
        let message = self.with_body(builder, &message_id)?;
        Ok(message.formatted())
    }

    fn addressed(&self) -> Result<MessageBuilder, MessageError> {
        let from = mailbox("from", &self.from)?;
        // Recipients are handed to the transport one by one; the library's own
        // envelope is never used, but it insists on one.
        let envelope = Envelope::new(None, vec![from.email.clone()])
            .map_err(|error| MessageError::Build(error.to_string()))?;
        let builder = Message::builder().envelope(envelope);
        let builder = with_mailboxes(builder, "From", vec![from], MessageBuilder::from);
        let reply_to = read("replyTo", self.reply_to.as_slice())?;
        let builder = with_mailboxes(builder, "Reply-To", reply_to, MessageBuilder::reply_to);
        let to = read("to", &self.to)?;
        let builder = with_mailboxes(builder, "To", to, MessageBuilder::to);
        let cc = read("cc", &self.cc)?;
        Ok(with_mailboxes(builder, "Cc", cc, MessageBuilder::cc))
    }

    fn date(&self) -> Result<Date, MessageError> {
        let millis = u64::try_from(self.date_millis).ok();
        millis
            // The library's formatter panics beyond the year 9999.
            .filter(|millis| *millis < 253_402_300_800_000)
            .and_then(|millis| UNIX_EPOCH.checked_add(Duration::from_millis(millis)))
            .map(Date::new)
            .ok_or(MessageError::Date(self.date_millis))
    }

    fn with_own_headers(
        &self,
        mut builder: MessageBuilder,
    ) -> Result<MessageBuilder, MessageError> {
        for (name, value) in &self.headers {
            if !name.bytes().all(is_token) {
                return Err(MessageError::HeaderName(name.escape_debug().to_string()));
            }
            if is_reserved(name) {
                continue;
            }
            if value.chars().any(char::is_control) {
                return Err(MessageError::HeaderValue(name.clone()));
            }
            let header = HeaderName::new_from_ascii(name.clone())
                .map_err(|_| MessageError::HeaderName(name.clone()))?;
            builder = builder.raw_header(HeaderValue::new(header, value.clone()));
        }
        Ok(builder)
    }

    fn with_body(
        &self,
        builder: MessageBuilder,
        message_id: &str,
    ) -> Result<Message, MessageError> {
        let text = unix_lines(&self.text);
        let html = unix_lines(&self.html);
        let built = if html.is_empty() {
            builder.singlepart(SinglePart::plain(text))
        } else {
            // From plain to rich: readers show the last part that they can. Filters distrust
            // mail without a plain one, were it empty.
            let parts = MultiPart::alternative()
                .boundary(boundary(message_id, &[&text, &html]))
                .singlepart(SinglePart::plain(text))
                .singlepart(SinglePart::html(html));
            builder.multipart(parts)
        };
        built.map_err(|error| MessageError::Build(error.to_string()))
    }
}

fn subject(text: &str) -> HeaderValue {
    let (name, text) = (HeaderName::new_from_ascii_str("Subject"), on_one_line(text));
    if is_treacherous(&text) {
        let encoded = encoded(&text);
        return HeaderValue::dangerous_new_pre_encoded(name, text, encoded);
    }
    HeaderValue::new(name, text)
}

/// Adds a header of addresses, in the library's way unless it cannot write one of the names.
fn with_mailboxes(
    builder: MessageBuilder,
    header: &'static str,
    listed: Vec<LettreMailbox>,
    usual: fn(MessageBuilder, LettreMailbox) -> MessageBuilder,
) -> MessageBuilder {
    let is_usual = |one: &LettreMailbox| !one.name.as_deref().is_some_and(is_treacherous);
    if listed.iter().all(is_usual) {
        return listed.into_iter().fold(builder, usual);
    }
    let written = |one: &LettreMailbox| match &one.name {
        Some(name) => format!("{}\r\n <{}>", encoded(name), one.email),
        None => one.email.to_string(),
    };
    let written: Vec<String> = listed.iter().map(written).collect();
    let addresses: Vec<String> = listed.iter().map(|one| one.email.to_string()).collect();
    builder.raw_header(HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(header),
        addresses.join(", "),
        written.join(",\r\n "),
    ))
}

fn read(field: &'static str, listed: &[Mailbox]) -> Result<Vec<LettreMailbox>, MessageError> {
    listed.iter().map(|one| mailbox(field, one)).collect()
}

fn mailbox(field: &'static str, mailbox: &Mailbox) -> Result<LettreMailbox, MessageError> {
    let address = parse_address(&mailbox.address)
        .map_err(|source| MessageError::Address { field, source })?;
    let display = mailbox.display.as_deref().map(on_one_line);
    let display = display.filter(|display| !display.is_empty());
    Ok(LettreMailbox::new(display, address))
}

/// Lone carriage returns have no meaning in mail, and some servers take them
/// for the end of a line: a way to smuggle commands.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn bracketed(message_id: &str) -> Result<String, MessageError> {
    let bare = message_id
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(message_id);
    let valid = bare.len() <= 200
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>')
        && bare
            .split_once('@')
            .is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
    if valid {
        Ok(format!("<{bare}>"))
    } else {
        Err(MessageError::MessageId(
            message_id.escape_debug().to_string(),
        ))
    }
}

/// A boundary that is always the same for a message and occurs in no part.
fn boundary(message_id: &str, parts: &[&str]) -> String {
    let mut boundary = format!("part{}", digest(message_id));
    while parts.iter().any(|part| part.contains(&boundary)) {
        boundary = format!("part{}", digest(&boundary));
    }
    boundary
}

fn digest(text: &str) -> impl std::fmt::Display {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple()
}

/// The characters of a header's name (RFC 5322 allows a few more, which
/// nobody uses and some software trips over).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    RESERVED.contains(&name.as_str())
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests;
