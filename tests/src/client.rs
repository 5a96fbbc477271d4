//! A small JSON client for the API.
//!
//! One connection pool, no retries, no redirects: a test sees exactly what the server said.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Over this, a test would rather fail than wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that nobody used for so long is not used again: the server may be closing it.
const IDLE: Duration = Duration::from_secs(3);

/// Sends requests to one server, with headers that it adds to each.
#[derive(Clone)]
pub struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    base: String,
    headers: HeaderMap,
}

impl Client {
    /// For the server at `base`, such as `http://127.0.0.1:9011`, with no key.
    pub fn new(base: &str) -> Self {
        Self {
            http: Http::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE)
                .build_http(),
            base: base.to_owned(),
            headers: HeaderMap::new(),
        }
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same client with one header more, or another value of it.
    #[must_use]
    pub fn with(&self, header: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.insert(
            HeaderName::from_bytes(header.as_bytes()).expect("a header name"),
            HeaderValue::from_str(value).expect("a header value"),
        );
        changed
    }

    /// The same client with this API key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        self.with(AUTHORIZATION.as_str(), key)
    }

    /// The same client without a key.
    #[must_use]
    pub fn without_key(&self) -> Self {
        let mut changed = self.clone();
        changed.headers.remove(AUTHORIZATION);
        changed
    }

    /// `GET path`
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    /// `POST path` with a JSON body
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `PUT path` with a JSON body
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// `PATCH path` with a JSON body
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE path`
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Any method, with or without a JSON body.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let bytes = body.map(|body| body.to_string().into_bytes());
        self.try_send(method.clone(), path, bytes)
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error:#}"))
    }

    /// Sends these bytes as JSON, whatever they are.
    ///
    /// # Errors
    /// When the server cannot be reached, cuts the connection, or takes too long.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Reply> {
        let call = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
            if body.is_some() && !headers.contains_key(CONTENT_TYPE) {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
        }
        let request = request.body(Full::from(body.unwrap_or_default()))?;
        let exchange = async {
            let (head, body) = self.http.request(request).await?.into_parts();
            anyhow::Ok(Reply {
                call,
                status: head.status.as_u16(),
                headers: head.headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        tokio::time::timeout(PATIENCE, exchange).await?
    }
}

/// What the server answered.
#[derive(Debug)]
pub struct Reply {
    call: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` when it is empty.
    ///
    /// # Panics
    /// When it is neither, or is not declared as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        let media_type = self.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        assert!(
            media_type.is_some_and(|value| value.starts_with(b"application/json")),
            "{} answered a body that is not declared as JSON: {}",
            self.call,
            self.text()
        );
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.call, self.text()))
    }

    /// The JSON body of an answer that must have this status.
    ///
    /// # Panics
    /// When it has another.
    #[track_caller]
    pub fn must_be(&self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{} answered {}",
            self.call,
            self.text()
        );
        self.json()
    }

    /// The JSON body of a success.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn ok(&self) -> Value {
        self.must_be(200)
    }

    /// The codes of an errors object, sorted.
    ///
    /// # Panics
    /// When the body is not an errors object.
    #[track_caller]
    pub fn error_codes(&self) -> Vec<String> {
        let body = self.json();
        let codes = |errors: &Value| -> Vec<String> {
            let errors = errors.as_array().map_or(&[][..], Vec::as_slice);
            errors
                .iter()
                .filter_map(|error| error.get("code")?.as_str().map(str::to_owned))
                .collect()
        };
        let (Some(general), Some(Value::Object(fields))) =
            (body.get("generalErrors"), body.get("fieldErrors"))
        else {
            panic!("{} answered no errors object: {body}", self.call);
        };
        let mut all = codes(general);
        all.extend(fields.values().flat_map(codes));
        all.sort();
        all
    }
}
