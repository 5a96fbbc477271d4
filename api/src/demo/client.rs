//! A client of the API: JSON over HTTP with an API key, as anybody could write one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// The server is on this machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// Calls one server with one key.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    server: SocketAddr,
    key: SecretString,
}

/// A success.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    /// When the request was sent.
    pub(super) sent: Instant,
    pub(super) took: Duration,
}

impl Answer {
    /// The text at a JSON pointer, which has to be there.
    pub(super) fn text(&self, pointer: &str) -> anyhow::Result<String> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        let text =
            text.with_context(|| format!("the answer has no text at {pointer}: {}", self.body))?;
        Ok(text.to_owned())
    }
}

impl Client {
    pub(super) fn new(server: SocketAddr, key: SecretString) -> Self {
        Self {
            http: Http::builder(TokioExecutor::new()).build_http(),
            server,
            key,
        }
    }

    /// Sends a request; anything but a success is an error that quotes the answer.
    pub(super) async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let sent = Instant::now();
        let exchange = self.exchange(method, path, body);
        let (status, bytes) = tokio::time::timeout(PATIENCE, exchange)
            .await
            .with_context(|| {
                format!(
                    "{method} {path} was not answered in {} s",
                    PATIENCE.as_secs()
                )
            })?
            .with_context(|| format!("{method} {path} failed"))?;
        let took = sent.elapsed();
        anyhow::ensure!(
            status.is_success(),
            "{method} {path} was answered with {}: {}",
            status.as_u16(),
            String::from_utf8_lossy(&bytes)
        );
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes)
                .with_context(|| format!("{method} {path} was not answered with JSON"))?,
        };
        Ok(Answer {
            status,
            body,
            sent,
            took,
        })
    }

    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.server))
            .header(AUTHORIZATION, self.key.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))?;
        let (head, body) = self.http.request(request).await?.into_parts();
        Ok((head.status, body.collect().await?.to_bytes()))
    }
}
