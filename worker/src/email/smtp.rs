//! One SMTP conversation, step by step, so that every failure is known by
//! the step it came from. The library's own pool is not used: it takes back a
//! connection whose conversation was cut off by a deadline, and the next mail
//! would read the answers to the last one.

use std::net::SocketAddr;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::classify_reply::{Step, answer, ends_session, failed};
use super::target::{NamedBy, Security, SmtpTarget};
use super::upgrade::ask_for_tls;
use super::wire::Wire;
use crate::core::outcome::{ErrorClass, Failure, FailureKind, chain};
use crate::net::{Allowlist, DialError, Resolve, Trust, dial, resolve_host, vet};

/// After so many refusals a session is given up. Servers slow down and cut off those who make
/// many mistakes (Postfix from ten on), and the next mail may be of somebody else.
const MOST_REFUSALS: usize = 5;

/// What a session needs to come about.
pub struct Dialer<'a> {
    pub resolver: &'a dyn Resolve,
    pub trust: &'a Trust,
    /// Where servers may be that a tenant has named, beside public addresses.
    pub allow: &'a Allowlist,
    pub hello: &'a ClientId,
    /// Name, connection and TLS must be there by then.
    pub until: Instant,
}

impl Dialer<'_> {
    /// Connects, protects and logs in as the target says.
    pub async fn open(&self, target: &SmtpTarget) -> Result<Session, Failure> {
        let mut stream = self.connect(target).await?;
        let mut connection = match target.security {
            Security::None => self.greet(Wire::new(stream)).await?,
            Security::Ssl => {
                let stream = self.wrap(target, stream).await?;
                self.greet(Wire::new(stream)).await?
            }
            Security::StartTls => {
                ask_for_tls(&mut stream, self.hello).await?;
                let stream = self.wrap(target, stream).await?;
                self.greet(Wire::greeted(stream)).await?
            }
        };
        login(&mut connection, target).await?;
        Ok(Session {
            connection,
            needs_reset: false,
            refusals: 0,
            over: false,
        })
    }

    async fn connect(&self, target: &SmtpTarget) -> Result<TcpStream, Failure> {
        let host = &target.host;
        let lookup = resolve_host(self.resolver, host, target.port);
        let addresses = timeout_at(self.until, lookup)
            .await
            .map_err(|_| late("name resolution", host))?
            .map_err(|error| {
                let message = format!("cannot resolve `{host}`: {}", chain(&error));
                Failure::new(ErrorClass::Dns, message)
            })?;
        let addresses = self.vetted(target, addresses)?;
        dial(&addresses, self.until).await.map_err(|error| {
            let class = match &error {
                DialError::Late { .. } => ErrorClass::Timeout,
                DialError::Refused { .. } | DialError::Nowhere => ErrorClass::Connect,
            };
            Failure::new(class, format!("mail server `{host}`: {}", chain(&error)))
        })
    }

    /// The tenant is not told the address: it would learn where things are that it cannot
    /// reach. The log tells the operator.
    fn vetted(
        &self,
        target: &SmtpTarget,
        addresses: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Failure> {
        if target.named_by == NamedBy::Operator {
            return Ok(addresses);
        }
        let host = &target.host;
        vet(addresses, self.allow).map_err(|blocked| {
            tracing::warn!(host, "refused to connect to a tenant's mail server: {blocked}");
            let message = format!(
                "refused to connect to mail server `{host}`: its address is not public, and its network is not in `BEADLE_MAIL_ALLOW`"
            );
            Failure::new(ErrorClass::Blocked, message)
        })
    }

    async fn wrap(
        &self,
        target: &SmtpTarget,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let host = &target.host;
        let broken = |error: &(dyn std::error::Error + 'static)| {
            let message = format!("TLS with mail server `{host}` failed: {}", chain(error));
            Failure::new(ErrorClass::Tls, message)
        };
        let name = ServerName::try_from(bare(host).to_owned()).map_err(|error| broken(&error))?;
        let handshake = TlsConnector::from(self.trust.client()).connect(name, stream);
        timeout_at(self.until, handshake)
            .await
            .map_err(|_| late("the TLS handshake", host))?
            .map_err(|error| broken(&error))
    }

    async fn greet(
        &self,
        stream: impl AsyncTokioStream + 'static,
    ) -> Result<AsyncSmtpConnection, Failure> {
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), self.hello)
            .await
            .map_err(|error| failed(Step::Greeting, &error))
    }
}

async fn login(connection: &mut AsyncSmtpConnection, target: &SmtpTarget) -> Result<(), Failure> {
    let Some((user, password)) = &target.credentials else {
        return Ok(());
    };
    let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
    connection
        .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
        .await
        .map(drop)
        .map_err(|error| failed(Step::Login, &error))
}

fn late(step: &str, host: &str) -> Failure {
    let message = format!("{step} for mail server `{host}` took too long");
    Failure::new(ErrorClass::Timeout, message)
}

/// The host without the brackets that an IPv6 address has in a URL.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// A connection that is logged in.
pub struct Session {
    connection: AsyncSmtpConnection,
    /// The last transaction was refused midway; the server still remembers it.
    needs_reset: bool,
    /// Transactions that were refused so far.
    refusals: usize,
    /// The server closed, or said that it will.
    over: bool,
}

/// Why a transaction did not go through.
pub enum Refusal {
    /// The session was gone before the server took note of this mail: a fresh
    /// one may simply try again.
    Stale(Failure),
    /// The mail failed.
    Failed(Failure),
}

impl Session {
    /// Hands over one message for one recipient.
    pub async fn transact(
        &mut self,
        from: &Address,
        recipient: &Address,
        message: &[u8],
    ) -> Result<Response, Refusal> {
        let parameters = self
            .parameters(from, recipient, message)
            .map_err(Refusal::Failed)?;
        // Until the server has taken it.
        self.refusals += 1;
        self.begin(from, parameters).await?;
        self.needs_reset = true;
        let response = self
            .hand_over(recipient, message)
            .await
            .map_err(Refusal::Failed)?;
        self.needs_reset = false;
        self.refusals -= 1;
        Ok(response)
    }

    /// Whether another mail can go over this session.
    pub fn is_usable(&self) -> bool {
        !(self.over || self.connection.has_broken()) && self.refusals < MOST_REFUSALS
    }

    async fn begin(
        &mut self,
        from: &Address,
        parameters: Vec<MailParameter>,
    ) -> Result<(), Refusal> {
        if self.needs_reset {
            let reset = self.connection.command(Rset).await;
            reset.map_err(|error| Refusal::Stale(failed(Step::Sender, &error)))?;
            self.needs_reset = false;
        }
        let command = Mail::new(Some(from.clone()), parameters);
        match self.connection.command(command).await {
            Ok(_) => Ok(()),
            Err(error) if ends_session(&error) => Err(Refusal::Stale(failed(Step::Sender, &error))),
            Err(error) => Err(Refusal::Failed(failed(Step::Sender, &error))),
        }
    }

    async fn hand_over(
        &mut self,
        recipient: &Address,
        message: &[u8],
    ) -> Result<Response, Failure> {
        let command = Rcpt::new(recipient.clone(), Vec::new());
        let known = self.connection.command(command).await;
        self.check(Step::Recipient, known, Severity::PositiveCompletion)?;
        let go_ahead = self.connection.command(Data).await;
        self.check(Step::Message, go_ahead, Severity::PositiveIntermediate)?;
        let accepted = self.connection.message(message).await;
        self.check(Step::Message, accepted, Severity::PositiveCompletion)
    }

    /// An answer of the wrong kind belongs to another command: answers and
    /// commands are out of step, be it the server's fault or that of somebody
    /// in between, and "yes" could mean anything.
    fn check(
        &mut self,
        step: Step,
        answered: Result<Response, SmtpError>,
        wanted: Severity,
    ) -> Result<Response, Failure> {
        let response = answered.map_err(|error| {
            self.over |= ends_session(&error);
            failed(step, &error)
        })?;
        if response.code().severity == wanted {
            return Ok(response);
        }
        self.over = true;
        let message = format!(
            "mail server at {step}: out of step, `{}`",
            answer(&response)
        );
        let failure = Failure::new(ErrorClass::Smtp, message);
        Err(failure.status(Some(u16::from(response.code()))))
    }

    /// What must be announced to the server, if it can do it at all.
    fn parameters(
        &self,
        from: &Address,
        recipient: &Address,
        message: &[u8],
    ) -> Result<Vec<MailParameter>, Failure> {
        let server = self.connection.server_info();
        let mut parameters = Vec::new();
        let addresses: [&str; 2] = [from.as_ref(), recipient.as_ref()];
        // Texts are encoded: what is beyond ASCII in a message is an address in its head.
        if !(message.is_ascii() && addresses.iter().all(|address| address.is_ascii())) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(unsupported("addresses beyond ASCII", "SMTPUTF8"));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() {
            if !server.supports_feature(Extension::EightBitMime) {
                return Err(unsupported("messages beyond ASCII", "8BITMIME"));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }
}

fn unsupported(what: &str, extension: &str) -> Failure {
    let message = format!("the mail server takes no {what} ({extension})");
    Failure::new(ErrorClass::Smtp, message).kind(FailureKind::Refused)
}
