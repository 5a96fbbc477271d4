//! A webhook receiver that counts: what arrived, how often, and how long after it was
//! sent. It runs on a thread of its own, so that the load driver does not slow it down.
//!
//! The path of a webhook says how it is answered: `/ok/…` at once, `/delay/MILLIS/…` after
//! a while, `/hang/…` never. The second part of an `/ok/GROUP/…` names the group that its
//! latencies are counted in.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::clock::now_micros;

/// What has arrived since the last reset.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Deliveries that were answered 200, each once.
    pub delivered: usize,
    /// Those that came again.
    pub duplicates: usize,
    /// Connections that were opened, since the start.
    pub connections: usize,
    /// When the first and the last one came, in microseconds since the epoch.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// Microseconds from the sending of the action to its arrival, by group.
    pub latencies: BTreeMap<String, Vec<u64>>,
    seen: HashSet<(String, String)>,
}

/// The receiver; it serves until the process ends.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    arrivals: Arc<Mutex<Arrivals>>,
}

impl Receiver {
    /// Starts it on a free port of the loopback interface.
    pub fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let receiver = Self {
            address: listener.local_addr()?,
            arrivals: Arc::default(),
        };
        let serving = receiver.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the receiver")?;
        std::thread::Builder::new()
            .name("receiver".to_owned())
            .spawn(move || runtime.block_on(serving.serve(listener)))?;
        Ok(receiver)
    }

    /// Where it listens, with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Forgets what has arrived, but not how often somebody connected.
    pub fn reset(&self) {
        self.take();
    }

    /// How much has arrived.
    pub fn delivered(&self) -> usize {
        self.state().delivered
    }

    /// What has arrived since the last reset, and a reset.
    pub fn take(&self) -> Arrivals {
        let mut state = self.state();
        let fresh = Arrivals {
            connections: state.connections,
            ..Arrivals::default()
        };
        std::mem::replace(&mut state, fresh)
    }

    /// Waits until so many deliveries have arrived; gives up when nothing more has come for
    /// `patience`.
    pub async fn wait_for(&self, count: usize, patience: Duration) -> Result<()> {
        let mut last = (self.delivered(), tokio::time::Instant::now());
        loop {
            let delivered = self.delivered();
            if delivered >= count {
                return Ok(());
            }
            if delivered != last.0 {
                last = (delivered, tokio::time::Instant::now());
            }
            anyhow::ensure!(
                last.1.elapsed() < patience,
                "only {delivered} of {count} deliveries came, and none for {patience:?}"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(self, listener: std::net::TcpListener) {
        let Ok(listener) = TcpListener::from_std(listener) else {
            return;
        };
        while let Ok((stream, _)) = listener.accept().await {
            self.state().connections += 1;
            let receiver = self.clone();
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                let service = service_fn(move |request| receiver.clone().answer(request));
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                // A sender that goes away is its own business.
                let _ = serving.await;
            });
        }
    }

    async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Empty<Bytes>>, Infallible> {
        let arrived = now_micros();
        let path = request.uri().path().to_owned();
        let id = header(&request, "webhook-id");
        let body = match request.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::new(),
        };
        let mut parts = path.split('/').skip(1);
        match (parts.next(), parts.next()) {
            (Some("hang"), _) => std::future::pending().await,
            (Some("delay"), Some(millis)) => {
                let millis = millis.parse().unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.count(&path, id, "", &body, arrived);
            }
            (_, group) => self.count(&path, id, group.unwrap_or_default(), &body, arrived),
        }
        Ok(Response::new(Empty::new()))
    }

    fn count(&self, path: &str, id: String, group: &str, body: &[u8], arrived: u64) {
        let mut state = self.state();
        if !state.seen.insert((path.to_owned(), id)) {
            state.duplicates += 1;
            return;
        }
        state.delivered += 1;
        if state.first == 0 {
            state.first = arrived;
        }
        state.last = arrived;
        if let Some(sent) = sent_at(body) {
            let latency = arrived.saturating_sub(sent);
            match state.latencies.get_mut(group) {
                Some(latencies) => latencies.push(latency),
                None => {
                    state.latencies.insert(group.to_owned(), vec![latency]);
                }
            }
        }
    }
}

fn header(request: &Request<Incoming>, name: &str) -> String {
    let value = request.headers().get(name);
    let text = value.and_then(|value| value.to_str().ok());
    text.unwrap_or_default().to_owned()
}

/// The number after `"sent_at":`, which the driver puts into every action.
fn sent_at(body: &[u8]) -> Option<u64> {
    const MEMBER: &str = "\"sent_at\":";
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(MEMBER)?;
    let digits = rest.split(|character: char| !character.is_ascii_digit());
    digits.into_iter().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sending_time_is_found_wherever_it_stands() {
        assert_eq!(sent_at(br#"{"a":{"sent_at":1750,"b":2}}"#), Some(1750));
        assert_eq!(sent_at(b"{}"), None);
        assert_eq!(sent_at(&[0xff]), None);
    }
}
