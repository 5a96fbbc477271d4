//! Hands one message to one recipient, within a total deadline, over a
//! connection that is kept for the next one. One recipient at a time, so that
//! each has an outcome of its own.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout_at};

use super::address::parse_address;
use super::classify_reply::answer;
use super::dir;
use super::prepared_mail::PreparedMail;
use super::smtp::{Dialer, Refusal, Session};
use super::target::{MailTarget, SmtpTarget};
use crate::core::outcome::{ErrorClass, Exchange, Failure, FailureKind, Outcome, chain};
use crate::net::{Allowlist, Resolve, SystemResolver, Trust, deadline_in};

/// Time for name, connection and TLS. A mail server that does not pick up by
/// then is down; the rest of the deadline is for the conversation.
const CONNECT_CAP: Duration = Duration::from_secs(10);

/// How long an idle session is kept. Servers close theirs after minutes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Idle sessions kept for one server.
const IDLE_PER_SERVER: usize = 8;

/// How a mailer works.
#[derive(Debug, Clone)]
pub struct MailerConfig {
    /// Whom TLS trusts.
    pub trust: Trust,
    /// Where servers may be that a tenant has named, beside public addresses.
    pub allow: Allowlist,
    /// Names to addresses; [`SystemResolver`] outside tests.
    pub resolver: Arc<dyn Resolve>,
    /// The longest time for handing over one message. Too low fails servers
    /// that scan what they get; too high lets a hanging one hold its slot.
    pub deadline: Duration,
    /// The name given in `EHLO`; the machine's own if `None`.
    pub hello: Option<String>,
}

impl MailerConfig {
    /// The defaults, with the given trust.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            allow: Allowlist::default(),
            resolver: Arc::new(SystemResolver),
            deadline: Duration::from_secs(30),
            hello: None,
        }
    }
}

struct Parked {
    session: Session,
    since: Instant,
}

/// Delivers mail. Share one: it holds the sessions.
pub struct Mailer {
    trust: Trust,
    allow: Allowlist,
    resolver: Arc<dyn Resolve>,
    deadline: Duration,
    hello: ClientId,
    idle: Mutex<HashMap<SmtpTarget, Vec<Parked>>>,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("deadline", &self.deadline)
            .field("hello", &self.hello)
            .finish_non_exhaustive()
    }
}

impl Mailer {
    /// A mailer that works as configured.
    #[must_use]
    pub fn new(config: MailerConfig) -> Self {
        Self {
            trust: config.trust,
            allow: config.allow,
            resolver: config.resolver,
            deadline: config.deadline,
            hello: config
                .hello
                .map_or_else(ClientId::default, ClientId::Domain),
            idle: Mutex::default(),
        }
    }

    /// The time that [`deliver`](Self::deliver) takes at most.
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        self.deadline
    }

    /// Makes one attempt. Always comes back within the time limit.
    pub async fn deliver(&self, target: &MailTarget, mail: PreparedMail<'_>) -> Exchange {
        let started = Instant::now();
        let attempt = async {
            match target {
                MailTarget::Smtp(server) => self.over_smtp(server, mail).await,
                MailTarget::Dir(path) => into_dir(path, mail).await,
            }
        };
        let mut exchange = timeout_at(deadline_in(self.deadline), attempt)
            .await
            .unwrap_or_else(|_| Err(self.too_late()))
            .unwrap_or_else(Exchange::failed);
        exchange.duration = started.elapsed();
        exchange
    }

    fn too_late(&self) -> Failure {
        let message = format!("the mail was not handed over within {:?}", self.deadline);
        Failure::new(ErrorClass::Timeout, message)
    }

    async fn over_smtp(
        &self,
        server: &SmtpTarget,
        mail: PreparedMail<'_>,
    ) -> Result<Exchange, Failure> {
        let from = address("sender", mail.envelope_from, FailureKind::Refused)?;
        let to = address("recipient", mail.recipient, FailureKind::BadRecipient)?;
        // A server may have closed a session while it was idle; that says
        // nothing about this mail.
        while let Some(session) = self.take_idle(server) {
            match self
                .hand_over(server, session, &from, &to, mail.message)
                .await
            {
                Err(Refusal::Stale(_)) => {}
                Err(Refusal::Failed(failure)) => return Err(failure),
                Ok(response) => return Ok(delivered(&response)),
            }
        }
        let session = self.dialer().open(server).await?;
        match self
            .hand_over(server, session, &from, &to, mail.message)
            .await
        {
            Err(Refusal::Stale(failure) | Refusal::Failed(failure)) => Err(failure),
            Ok(response) => Ok(delivered(&response)),
        }
    }

    /// The session is owned here until the conversation is over: when the
    /// deadline cuts it off, it is dropped and never used again.
    async fn hand_over(
        &self,
        server: &SmtpTarget,
        mut session: Session,
        from: &Address,
        to: &Address,
        message: &[u8],
    ) -> Result<Response, Refusal> {
        let result = session.transact(from, to, message).await;
        if session.is_usable() && !matches!(result, Err(Refusal::Stale(_))) {
            self.park(server, session);
        }
        result
    }

    fn dialer(&self) -> Dialer<'_> {
        Dialer {
            resolver: &*self.resolver,
            trust: &self.trust,
            allow: &self.allow,
            hello: &self.hello,
            until: deadline_in(CONNECT_CAP.min(self.deadline)),
        }
    }

    fn take_idle(&self, server: &SmtpTarget) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let parked = idle.get_mut(server)?;
        // The latest first: the others may lapse when there is less to do.
        while let Some(Parked { session, since }) = parked.pop() {
            if since.elapsed() < IDLE_TIMEOUT {
                return Some(session);
            }
        }
        None
    }

    fn park(&self, server: &SmtpTarget, session: Session) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, parked| {
            parked.retain(|parked| parked.since.elapsed() < IDLE_TIMEOUT);
            !parked.is_empty()
        });
        let parked = idle.entry(server.clone()).or_default();
        if parked.len() < IDLE_PER_SERVER {
            let since = Instant::now();
            parked.push(Parked { session, since });
        }
    }
}

fn address(what: &str, text: &str, kind: FailureKind) -> Result<Address, Failure> {
    parse_address(text).map_err(|error| {
        let message = format!("{what} is {error}");
        Failure::new(ErrorClass::Smtp, message).kind(kind)
    })
}

fn delivered(response: &Response) -> Exchange {
    Exchange {
        outcome: Outcome::Delivered,
        duration: Duration::ZERO,
        status_code: Some(u16::from(response.code())),
        excerpt: Some(answer(response)),
    }
}

async fn into_dir(path: &Path, mail: PreparedMail<'_>) -> Result<Exchange, Failure> {
    match dir::write(path, &mail).await {
        Ok(_) => Ok(Exchange {
            outcome: Outcome::Delivered,
            duration: Duration::ZERO,
            status_code: None,
            excerpt: None,
        }),
        Err(error) => {
            let message = format!(
                "cannot write mail to `{}`: {}",
                path.display(),
                chain(&error)
            );
            Err(Failure::new(ErrorClass::Unknown, message))
        }
    }
}
