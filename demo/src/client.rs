//! A client of the API: JSON over HTTP with an API key, as anybody could write one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use hyper::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// Calls one server with one key.
#[derive(Clone)]
pub(crate) struct Client(beadle_tests::Client);

/// A success.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    /// When the request was sent.
    pub(crate) sent: Instant,
    pub(crate) took: Duration,
}

impl Answer {
    /// The text at a JSON pointer, which has to be there.
    pub(crate) fn text(&self, pointer: &str) -> anyhow::Result<String> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        let text =
            text.with_context(|| format!("the answer has no text at {pointer}: {}", self.body))?;
        Ok(text.to_owned())
    }
}

impl Client {
    pub(crate) fn new(server: SocketAddr, key: &SecretString) -> Self {
        let client = beadle_tests::Client::new(&format!("http://{server}"));
        Self(client.with_key(key.expose_secret()))
    }

    /// Sends a request; anything but a success is an error that quotes the answer.
    pub(crate) async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let sent = Instant::now();
        let bytes = body.map(|body| body.to_string().into_bytes());
        let reply = self.0.try_send(method.clone(), path, bytes).await;
        let reply = reply.with_context(|| format!("{method} {path} failed"))?;
        let took = sent.elapsed();
        let status = StatusCode::from_u16(reply.status)?;
        anyhow::ensure!(
            status.is_success(),
            "{method} {path} was answered with {}: {}",
            reply.status,
            reply.text()
        );
        let body = match reply.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&reply.body)
                .with_context(|| format!("{method} {path} was not answered with JSON"))?,
        };
        Ok(Answer {
            status,
            body,
            sent,
            took,
        })
    }
}
