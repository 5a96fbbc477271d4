//! The sender: one POST within a total deadline over pooled connections,
//! judged and reported. Never follows a redirect, never uses a proxy.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::RETRY_AFTER;
use hyper::{HeaderMap, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::connect::{ConnectPolicy, Connector};
use super::outcome::{BodyEnd, broken, classify_response, no_answer};
use super::request::WebhookRequest;
use crate::core::outcome::{Exchange, Failure, harmless};
use crate::core::policy::parse_retry_after;
use crate::net::{Allowlist, Resolve, SystemResolver, Trust, deadline_in};

/// No webhook may spend longer on connecting, whatever it asks for: the time
/// is taken from a slot that others wait for.
const CONNECT_CAP: Duration = Duration::from_secs(5);

/// How much of an answer's body is kept for people to look at.
const EXCERPT_BYTES: usize = 1024;

/// An answer's head may be this large. The client holds it in memory.
const HEAD_BYTES: usize = 64 * 1024;

/// Header fields in an answer.
const HEAD_FIELDS: usize = 100;

/// Idle connections are dropped before most receivers would: a request that
/// meets a connection just being closed is a failed attempt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Pools for different connect timeouts. Customers choose the timeouts, so
/// without a bound they could choose our memory.
const MAX_POOLS: usize = 64;

/// How a sender works.
#[derive(Debug, Clone)]
pub struct SenderConfig {
    /// Networks exempt from the address guard.
    pub allow: Allowlist,
    /// Whom TLS trusts.
    pub trust: Trust,
    /// Names to addresses; [`SystemResolver`] outside tests.
    pub resolver: Arc<dyn Resolve>,
    /// The longest time for one exchange, whatever the webhook asks for. Too
    /// low fails slow receivers; too high lets a few of them hold every slot.
    pub deadline: Duration,
    /// The `User-Agent`.
    pub user_agent: String,
    /// Bytes of an answer that are read so that its connection can be used
    /// again. A longer answer costs the connection, nothing else.
    pub response_cap: usize,
    /// Idle connections kept for one receiver.
    pub idle_per_host: usize,
}

impl SenderConfig {
    /// The defaults, with the given trust.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            allow: Allowlist::default(),
            trust,
            resolver: Arc::new(SystemResolver),
            deadline: Duration::from_secs(20),
            user_agent: concat!("Beadle/", env!("CARGO_PKG_VERSION")).to_owned(),
            response_cap: 64 * 1024,
            idle_per_host: 32,
        }
    }
}

type HttpClient = Client<Connector, Full<Bytes>>;

/// Sends webhooks. Share one: it holds the pools of connections.
pub struct WebhookSender {
    reach: Arc<ConnectPolicy>,
    deadline: Duration,
    user_agent: String,
    response_cap: usize,
    idle_per_host: usize,
    /// A pool knows only scheme and host, so a connector's timeout needs a
    /// pool of its own.
    clients: Mutex<HashMap<Duration, HttpClient>>,
}

impl fmt::Debug for WebhookSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSender")
            .field("reach", &self.reach)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl WebhookSender {
    /// A sender that works as configured.
    #[must_use]
    pub fn new(config: SenderConfig) -> Self {
        let reach = ConnectPolicy::new(config.resolver, config.allow, config.trust);
        Self {
            reach: Arc::new(reach),
            deadline: config.deadline,
            user_agent: config.user_agent,
            response_cap: config.response_cap,
            idle_per_host: config.idle_per_host,
            clients: Mutex::default(),
        }
    }

    /// The time that [`send`](Self::send) takes at most with these timeouts,
    /// so that a lease can be checked against it beforehand.
    #[must_use]
    pub fn time_limit(&self, connect_timeout: Duration, read_timeout: Duration) -> Duration {
        connect_timeout
            .saturating_add(read_timeout)
            .min(self.deadline)
    }

    /// Makes one attempt. Always comes back within the time limit.
    pub async fn send(&self, request: WebhookRequest) -> Exchange {
        let started = Instant::now();
        let limit = self.time_limit(request.connect_timeout, request.read_timeout);
        let mut exchange = match self.ask(&request, limit, deadline_in(limit)).await {
            Ok(exchange) => exchange,
            Err(failure) => Exchange::failed(failure),
        };
        exchange.duration = started.elapsed();
        exchange
    }

    async fn ask(
        &self,
        request: &WebhookRequest,
        limit: Duration,
        until: Instant,
    ) -> Result<Exchange, Failure> {
        let http: Request<Full<Bytes>> = request.to_http(&self.user_agent)?;
        let client = self.client(request.connect_timeout);
        let response = timeout_at(until, client.request(http))
            .await
            .map_err(|_| no_answer(limit))?
            .map_err(|error| broken(&error))?;
        let now_millis = request.timestamp.saturating_mul(1000);
        Ok(self.read(response, now_millis, until).await)
    }

    async fn read(
        &self,
        response: Response<Incoming>,
        now_millis: i64,
        until: Instant,
    ) -> Exchange {
        let status = response.status();
        let retry_after = retry_after(response.headers(), now_millis);
        let (start, end) = read_body(response.into_body(), self.response_cap, until).await;
        Exchange {
            outcome: classify_response(status, retry_after, &end),
            duration: Duration::ZERO,
            status_code: Some(status.as_u16()),
            excerpt: (!start.is_empty()).then(|| harmless(&start, EXCERPT_BYTES)),
        }
    }

    fn client(&self, connect_timeout: Duration) -> HttpClient {
        let within = connect_timeout.min(CONNECT_CAP);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&within) {
            return client.clone();
        }
        if clients.len() >= MAX_POOLS {
            // Only idle connections are lost: clients in use hold their own.
            clients.clear();
        }
        let client = self.build_client(within);
        clients.insert(within, client.clone());
        client
    }

    fn build_client(&self, within: Duration) -> HttpClient {
        Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(self.idle_per_host)
            .http1_max_buf_size(HEAD_BYTES)
            .http1_max_headers(HEAD_FIELDS)
            .build(Connector::new(Arc::clone(&self.reach), within))
    }
}

fn retry_after(headers: &HeaderMap, now_millis: i64) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    parse_retry_after(value, now_millis)
}

/// Reads a body to its end, the cap or the deadline, and keeps its start.
async fn read_body(mut body: Incoming, cap: usize, until: Instant) -> (Vec<u8>, BodyEnd) {
    let mut start = Vec::new();
    let mut length = 0_usize;
    loop {
        let frame = match timeout_at(until, body.frame()).await {
            Err(_) => return (start, BodyEnd::Late),
            Ok(None) => return (start, BodyEnd::Complete),
            Ok(Some(Err(error))) => return (start, BodyEnd::Broken(error)),
            Ok(Some(Ok(frame))) => frame,
        };
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let room = EXCERPT_BYTES.saturating_sub(start.len());
        start.extend(data.iter().take(room));
        length = length.saturating_add(data.len());
        if length > cap {
            return (start, BodyEnd::Capped);
        }
    }
}
