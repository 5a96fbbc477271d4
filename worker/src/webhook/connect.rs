//! The connector under the HTTP client: resolve, vet, connect to a vetted
//! address, and TLS if asked. There is no other way from a webhook to a
//! socket, so no URL, name or spelling gets around the guard.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::core::outcome::ErrorClass;
use crate::net::{
    Allowlist, Blocked, DialError, Resolve, Trust, deadline_in, dial, is_public, resolve_host, vet,
};

/// How many hosts the warning about plain HTTP remembers. Past that it falls
/// silent, which is better than growing without end.
const WARNED_HOSTS: usize = 1_000;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address, or DNS did not answer.
    #[error("cannot resolve `{host}`")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// The guard refused the name.
    #[error("refused to connect to `{host}`, whose network `BEADLE_WEBHOOK_ALLOW` does not name")]
    Blocked {
        /// The name.
        host: String,
        /// The address at fault.
        #[source]
        source: Blocked,
    },
    /// No address answered.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The handshake failed.
    #[error("TLS with `{host}` failed")]
    Tls {
        /// The name that the certificate must carry.
        host: String,
        /// What the TLS library said.
        #[source]
        source: io::Error,
    },
    /// The time for connecting ran out at this step.
    #[error("{step} for `{host}` took longer than the connect timeout")]
    Late {
        /// What was going on.
        step: &'static str,
        /// The name.
        host: String,
    },
    /// The URL has no usable host.
    #[error("the url has no usable host")]
    NoHost,
}

impl ConnectError {
    /// Where it broke.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Dns { .. } => ErrorClass::Dns,
            Self::Blocked { .. } => ErrorClass::Blocked,
            Self::Dial(DialError::Late { .. }) | Self::Late { .. } => ErrorClass::Timeout,
            Self::Dial(_) => ErrorClass::Connect,
            Self::Tls { .. } => ErrorClass::Tls,
            Self::NoHost => ErrorClass::Unknown,
        }
    }
}

/// What all connectors of a sender share.
#[derive(Debug)]
pub struct ConnectPolicy {
    resolver: Arc<dyn Resolve>,
    allow: Allowlist,
    trust: Trust,
    warned: Mutex<HashSet<String>>,
}

impl ConnectPolicy {
    /// Reaches public addresses and the allowed ones.
    pub fn new(resolver: Arc<dyn Resolve>, allow: Allowlist, trust: Trust) -> Self {
        Self {
            resolver,
            allow,
            trust,
            warned: Mutex::default(),
        }
    }

    async fn establish(&self, uri: Uri, within: Duration) -> Result<Box<dyn Socket>, ConnectError> {
        let deadline = deadline_in(within);
        let host = uri.host().ok_or(ConnectError::NoHost)?;
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });

        let addresses = self.vetted(host, port, deadline).await?;
        if !secure {
            self.warn_of_plain_http(host, &addresses);
        }
        let stream = dial(&addresses, deadline).await?;
        if secure {
            self.wrap(host, stream, deadline).await
        } else {
            Ok(Box::new(stream))
        }
    }

    async fn vetted(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, ConnectError> {
        let lookup = resolve_host(&*self.resolver, host, port);
        let addresses = timeout_at(deadline, lookup)
            .await
            .map_err(|_| late("name resolution", host))?
            .map_err(|source| ConnectError::Dns {
                host: host.to_owned(),
                source,
            })?;
        vet(addresses, &self.allow).map_err(|source| ConnectError::Blocked {
            host: host.to_owned(),
            source,
        })
    }

    async fn wrap(
        &self,
        host: &str,
        stream: TcpStream,
        deadline: Instant,
    ) -> Result<Box<dyn Socket>, ConnectError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| ConnectError::NoHost)?;
        let handshake = TlsConnector::from(self.trust.client()).connect(name, stream);
        let stream = timeout_at(deadline, handshake)
            .await
            .map_err(|_| late("the TLS handshake", host))?
            .map_err(|source| ConnectError::Tls {
                host: host.to_owned(),
                source,
            })?;
        Ok(Box::new(stream))
    }

    /// Bodies name people and what befell them; over the open Internet that
    /// should not go in the clear without somebody knowing.
    fn warn_of_plain_http(&self, host: &str, addresses: &[SocketAddr]) {
        if !addresses.iter().any(|address| is_public(address.ip())) {
            return;
        }
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() < WARNED_HOSTS && warned.insert(host.to_owned()) {
            tracing::warn!(
                host,
                "A webhook sends to a public address without TLS; give it an https url"
            );
        }
    }
}

fn late(step: &'static str, host: &str) -> ConnectError {
    ConnectError::Late {
        step,
        host: host.to_owned(),
    }
}

/// A connector with a fixed time for making a connection.
#[derive(Debug, Clone)]
pub struct Connector {
    reach: Arc<ConnectPolicy>,
    within: Duration,
}

impl Connector {
    /// Connects within the given time: name, connection and handshake together.
    pub fn new(reach: Arc<ConnectPolicy>, within: Duration) -> Self {
        Self { reach, within }
    }
}

impl Service<Uri> for Connector {
    type Response = SecureStream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<SecureStream, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { reach, within } = self.clone();
        Box::pin(async move {
            let socket = reach.establish(uri, within).await?;
            Ok(SecureStream(TokioIo::new(socket)))
        })
    }
}

/// Bytes to and from a peer, whether TLS is in between or not.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// A connection in the form that the HTTP client wants.
pub struct SecureStream(TokioIo<Box<dyn Socket>>);

impl Connection for SecureStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for SecureStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for SecureStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }
}
