//! An SMTP server that keeps what it is given, and refuses or stalls on demand.
//!
//! The conversation over the socket is real; only the mailbox behind it is a list.

mod session;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mail_parser::{Message, MessageParser};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use session::Session;

/// The points of a conversation at which the server can make trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// In place of the greeting.
    Connect,
    /// At `EHLO` or `HELO`.
    Hello,
    /// At the end of `AUTH`.
    Auth,
    /// At `MAIL FROM`.
    From,
    /// At `RCPT TO`.
    Recipient,
    /// At `DATA`, before the message.
    Data,
    /// After the message: it has been read, and is not kept.
    Message,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// This reply, such as `450 4.2.1 try later`, in place of the usual one.
    Refuse(String),
    /// The usual reply, after a while.
    Stall(Duration),
    /// The connection is closed.
    Close,
    /// The message is kept, then the connection is closed before the reply: the sender
    /// cannot know. At [`Moment::Message`] only.
    KeepAndClose,
    /// The message is kept, and the usual reply waits for [`MailServer::release`]. At
    /// [`Moment::Message`] only.
    KeepAndHold,
}

/// A message as accepted.
#[derive(Clone, Debug)]
pub struct Mail {
    /// When it was accepted.
    pub arrived: Instant,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// User name and password of the session, if it logged in.
    pub login: Option<(String, String)>,
    /// The message itself, as sent.
    pub raw: Vec<u8>,
}

impl Mail {
    /// The message, parsed.
    ///
    /// # Panics
    /// When it is none.
    pub fn message(&self) -> Message<'_> {
        MessageParser::default()
            .parse(&self.raw)
            .expect("an accepted mail is a message")
    }

    /// Its subject, decoded.
    pub fn subject(&self) -> String {
        self.message().subject().unwrap_or_default().to_owned()
    }

    /// Its text part, decoded.
    pub fn text(&self) -> String {
        let message = self.message();
        let text = message.body_text(0).unwrap_or_default();
        text.into_owned()
    }

    /// Its HTML part, decoded.
    pub fn html(&self) -> String {
        let message = self.message();
        let html = message.body_html(0).unwrap_or_default();
        html.into_owned()
    }

    /// Its `Message-ID`, which all attempts share.
    pub fn message_id(&self) -> String {
        self.message().message_id().unwrap_or_default().to_owned()
    }
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    troubles: Vec<(Moment, Trouble, usize)>,
    /// Ends of addresses that are refused, and the reply.
    refused: Vec<(String, String)>,
    required_login: Option<(String, String)>,
    logins: Vec<(String, String)>,
    sessions: usize,
}

struct Shared {
    state: Mutex<State>,
    count: watch::Sender<usize>,
    /// Lets replies go that are held.
    gate: Semaphore,
    /// How many of those have been written.
    released: watch::Sender<usize>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, mail: Mail) {
        let mut state = self.state();
        state.mails.push(mail);
        self.count.send_modify(|count| *count += 1);
    }

    /// The reply to a recipient that is refused whenever it comes.
    fn refusal_of(&self, recipient: &str) -> Option<String> {
        let state = self.state();
        let refused = state.refused.iter();
        let mut refused = refused.filter(|(ending, _)| recipient.ends_with(ending.as_str()));
        refused.next().map(|(_, reply)| reply.clone())
    }

    /// The trouble that is due now, used up once.
    fn trouble(&self, moment: Moment) -> Option<Trouble> {
        let mut state = self.state();
        let due = state
            .troubles
            .iter_mut()
            .find(|(at, _, left)| *at == moment && *left > 0)?;
        due.2 -= 1;
        Some(due.1.clone())
    }
}

/// A mail server on a loopback port of its own, until dropped.
pub struct MailServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl MailServer {
    /// Starts one that accepts everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            count: watch::Sender::new(0),
            gate: Semaphore::new(0),
            released: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// Its URL for settings.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Makes trouble the next `times` times that a session gets there.
    pub fn make(&self, trouble: Trouble, at: Moment, times: usize) {
        self.shared.state().troubles.push((at, trouble, times));
    }

    /// Answers every recipient whose address ends like this with this reply, such as
    /// `450 4.2.1 try later`.
    pub fn refuse_recipients(&self, ending: &str, reply: &str) {
        let refused = (ending.to_owned(), reply.to_owned());
        self.shared.state().refused.push(refused);
    }

    /// Takes mail only from sessions that log in like this.
    pub fn require_login(&self, user: &str, password: &str) {
        self.shared.state().required_login = Some((user.to_owned(), password.to_owned()));
    }

    /// Lets `times` replies go that are held ([`Trouble::KeepAndHold`]), and returns when
    /// they have been written: from now on their senders may know.
    ///
    /// # Panics
    /// When they have not been written in time.
    pub async fn release(&self, times: usize, timeout: Duration) {
        let mut released = self.shared.released.subscribe();
        let wanted = *released.borrow() + times;
        self.shared.gate.add_permits(times);
        let written = tokio::time::timeout(timeout, released.wait_for(|n| *n >= wanted)).await;
        assert!(
            written.is_ok(),
            "{times} held replies were not written within {timeout:?}"
        );
    }

    /// How many mails have been accepted; changes with each.
    pub fn arrivals(&self) -> watch::Receiver<usize> {
        self.shared.count.subscribe()
    }

    /// Every mail that was accepted, in order.
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.state().mails.clone()
    }

    /// User names and passwords that sessions have shown, whatever was sent then.
    pub fn logins(&self) -> Vec<(String, String)> {
        self.shared.state().logins.clone()
    }

    /// How many connections were made.
    pub fn sessions(&self) -> usize {
        self.shared.state().sessions
    }

    /// Waits until `count` mails have been accepted, and returns all of them.
    ///
    /// # Panics
    /// When they have not come in time.
    pub async fn wait_for(&self, count: usize, timeout: Duration) -> Vec<Mail> {
        let mut counter = self.shared.count.subscribe();
        let arrived = tokio::time::timeout(timeout, counter.wait_for(|n| *n >= count)).await;
        let in_time = arrived.is_ok();
        let mails = self.mails();
        let subjects: Vec<String> = mails.iter().map(Mail::subject).collect();
        assert!(
            in_time,
            "{count} mails expected, these came within {timeout:?}: {subjects:?}"
        );
        mails
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.state().sessions += 1;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A peer that goes away ends its session, not the test.
            let _ = Session::new(stream, shared).run().await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lettre::transport::smtp::authentication::{Credentials, Mechanism};
    use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

    type Sender = AsyncSmtpTransport<Tokio1Executor>;

    fn sender(server: &MailServer, login: Option<(&str, &str, Mechanism)>) -> Sender {
        let mut builder = Sender::builder_dangerous("127.0.0.1").port(server.port());
        if let Some((user, password, mechanism)) = login {
            builder = builder
                .credentials(Credentials::new(user.to_owned(), password.to_owned()))
                .authentication(vec![mechanism]);
        }
        builder.build()
    }

    fn letter(body: &str) -> lettre::Message {
        lettre::Message::builder()
            .from("Piper <news@piedpiper.example>".parse().unwrap())
            .to("reader@example.com".parse().unwrap())
            .subject("Schöne Grüße")
            .body(body.to_owned())
            .unwrap()
    }

    #[tokio::test]
    async fn a_letter_arrives_as_it_was_written() {
        let server = MailServer::start().await;
        let body = "first\r\n.a line that begins with a full stop\r\n..\r\nlast: äöü";
        sender(&server, None).send(letter(body)).await.unwrap();
        let mails = server.wait_for(1, Duration::from_secs(5)).await;
        assert_eq!(mails[0].from, "news@piedpiper.example");
        assert_eq!(mails[0].to, ["reader@example.com"]);
        assert_eq!(mails[0].subject(), "Schöne Grüße");
        assert_eq!(mails[0].text().trim_end(), body);
    }

    #[tokio::test]
    async fn only_the_right_login_may_send() {
        let server = MailServer::start().await;
        server.require_login("user", "secret");
        for mechanism in [Mechanism::Plain, Mechanism::Login] {
            let right = sender(&server, Some(("user", "secret", mechanism)));
            right.send(letter("hello")).await.unwrap();
            let wrong = sender(&server, Some(("user", "guess", mechanism)));
            assert!(
                wrong
                    .send(letter("hello"))
                    .await
                    .unwrap_err()
                    .is_permanent()
            );
        }
        assert!(sender(&server, None).send(letter("hello")).await.is_err());
        assert_eq!(server.mails().len(), 2);
        assert_eq!(server.mails()[1].login.as_ref().unwrap().0, "user");
    }

    #[tokio::test]
    async fn trouble_comes_when_asked_for_and_as_often() {
        let server = MailServer::start().await;
        let later = || Trouble::Refuse("450 4.2.1 try later".to_owned());
        for moment in [
            Moment::From,
            Moment::Recipient,
            Moment::Data,
            Moment::Message,
        ] {
            server.make(later(), moment, 1);
            let refused = sender(&server, None).send(letter("hello")).await;
            assert!(refused.unwrap_err().is_transient(), "{moment:?}");
        }
        server.make(Trouble::KeepAndClose, Moment::Message, 1);
        assert!(sender(&server, None).send(letter("kept")).await.is_err());
        sender(&server, None).send(letter("hello")).await.unwrap();
        assert_eq!(server.mails().len(), 2);
    }

    #[tokio::test]
    async fn some_recipients_can_be_refused_for_as_long_as_it_lasts() {
        let server = MailServer::start().await;
        server.refuse_recipients("@example.net", "450 4.2.1 try later");
        sender(&server, None).send(letter("hello")).await.unwrap();
        server.refuse_recipients("@example.com", "450 4.2.1 try later");
        for _ in 0..2 {
            let refused = sender(&server, None).send(letter("hello")).await;
            assert!(refused.unwrap_err().is_transient());
        }
        assert_eq!(server.mails().len(), 1);
    }

    #[tokio::test]
    async fn a_held_reply_comes_when_it_is_released() {
        const SOON: Duration = Duration::from_secs(5);
        let server = MailServer::start().await;
        server.make(Trouble::KeepAndHold, Moment::Message, 1);
        let sender = sender(&server, None);
        let sending = tokio::spawn(async move { sender.send(letter("held")).await });
        server.wait_for(1, SOON).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!sending.is_finished());
        server.release(1, SOON).await;
        assert!(sending.await.unwrap().unwrap().is_positive());
    }
}
