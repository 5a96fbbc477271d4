//! A webhook receiver that counts: what arrived, how often, and how long after it was
//! sent. It runs on a thread of its own, so that the load driver does not slow it down.
//!
//! The path of a webhook says how it is answered: `/ok/…` at once, `/delay/MILLIS/…` after
//! a while, `/hang/…` never. The second part of an `/ok/GROUP/…` names the group that its
//! latencies are counted in.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::clock::now_micros;
use crate::tally::{Arrival, Tally, on_own_thread};

/// The receiver; it serves until the process ends. What came is asked of its tally.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    tally: Tally,
}

impl Deref for Receiver {
    type Target = Tally;

    fn deref(&self) -> &Tally {
        &self.tally
    }
}

impl Receiver {
    /// Starts it on a free port of the loopback interface.
    pub fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let receiver = Self {
            address: listener.local_addr()?,
            tally: Tally::default(),
        };
        on_own_thread("receiver", receiver.clone().serve(listener))?;
        Ok(receiver)
    }

    /// Where it listens, with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn serve(self, listener: std::net::TcpListener) {
        let Ok(listener) = TcpListener::from_std(listener) else {
            return;
        };
        while let Ok((stream, _)) = listener.accept().await {
            self.connected();
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
                self.note(&path, id, "", &body, arrived);
            }
            (_, group) => self.note(&path, id, group.unwrap_or_default(), &body, arrived),
        }
        Ok(Response::new(Empty::new()))
    }

    fn note(&self, path: &str, id: String, group: &str, body: &[u8], at: u64) {
        self.count(Arrival {
            place: path,
            id,
            at,
            sent: sent_at(body).map(|sent| (sent, group)),
        });
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
