//! Keep-alive connections to the API, one request at a time on each.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Where the API listens, and the key to it.
#[derive(Debug, Clone)]
pub struct Api {
    /// `127.0.0.1:PORT`
    pub address: String,
    /// What goes into `Authorization`.
    pub key: String,
}

/// One connection; opened again after it was closed.
#[derive(Debug)]
pub struct Connection {
    api: Api,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Opened with the first request.
    pub fn new(api: &Api) -> Self {
        Self {
            api: api.clone(),
            sender: None,
        }
    }

    /// Sends a request, and returns status and body.
    pub async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<(u16, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.api.address)
            .header(AUTHORIZATION, &self.api.key)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let sender = match &mut self.sender {
            Some(sender) if !sender.is_closed() => sender,
            slot => slot.insert(connect(&self.api.address).await?),
        };
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, body))
    }

    /// The same for JSON; anything but 200 is an error.
    pub async fn call(&mut self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let what = format!("{method} {path}");
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let (status, body) = self.send(method, path, body).await?;
        if status != 200 {
            bail!("{what}: {status} {}", String::from_utf8_lossy(&body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| format!("{what}: no JSON"))
    }
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // Its end shows at the next request.
        let _ = connection.await;
    });
    Ok(sender)
}
