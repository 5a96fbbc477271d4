//! A receiver for tests: a real socket whose answers are scripted, down to
//! the ways in which real receivers misbehave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the receiver does with each request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Writes these bytes and keeps the connection.
    Write(Vec<u8>),
    /// Writes these bytes and closes.
    WriteAndClose(Vec<u8>),
    /// Reads the request and says nothing.
    Hang,
    /// Cuts the connection with a reset instead of an answer.
    Reset,
    /// Promises a body and never stops sending it.
    Endless,
}

impl Answer {
    /// A whole answer with a body.
    pub fn status(line: &str, extra: &str, body: &str) -> Self {
        let length = body.len();
        Self::Write(
            format!("HTTP/1.1 {line}\r\n{extra}content-length: {length}\r\n\r\n{body}")
                .into_bytes(),
        )
    }
}

/// The receiver, listening on a free port of 127.0.0.1.
#[derive(Debug)]
pub struct Receiver {
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    pub async fn start(answer: Answer) -> Self {
        Self::listen(answer, None).await
    }

    /// A receiver with TLS, and its certificate for `localhost` as PEM.
    pub async fn start_tls(answer: Answer) -> (Self, String) {
        let names = vec!["localhost".to_owned()];
        let own = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        (Self::listen(answer, Some(acceptor)).await, own.cert.pem())
    }

    async fn listen(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            accepted: Arc::default(),
            requests: Arc::default(),
        };
        let accepted = Arc::clone(&receiver.accepted);
        let requests = Arc::clone(&receiver.requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                let (answer, requests) = (answer.clone(), Arc::clone(&requests));
                let tls = tls.clone();
                tokio::spawn(async move { serve(stream, tls, answer, requests).await });
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How many connections came in.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The requests as they came, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    answer: Answer,
    requests: Arc<Mutex<Vec<String>>>,
) {
    match tls {
        None if matches!(answer, Answer::Reset) => reset(stream).await,
        None => converse(stream, answer, requests).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, answer, requests).await;
            }
        }
    }
}

/// Reads a little and then closes with unread bytes, which makes the kernel
/// send a reset.
async fn reset(mut stream: TcpStream) {
    let mut byte = [0; 1];
    let _ = stream.read(&mut byte).await;
}

async fn converse<S>(mut stream: S, answer: Answer, requests: Arc<Mutex<Vec<String>>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(request) = read_request(&mut stream).await {
        requests.lock().unwrap().push(request);
        match &answer {
            Answer::Write(bytes) => {
                let _ = stream.write_all(bytes).await;
            }
            Answer::WriteAndClose(bytes) => {
                let _ = stream.write_all(bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Answer::Hang => std::future::pending().await,
            Answer::Reset => return,
            Answer::Endless => return drone(&mut stream).await,
        }
    }
}

async fn drone<S: AsyncWrite + Unpin>(stream: &mut S) {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut chunk = b"1000\r\n".to_vec();
    chunk.extend([b'x'; 0x1000]);
    chunk.extend(b"\r\n");
    let mut result = stream.write_all(head).await;
    while result.is_ok() {
        result = stream.write_all(&chunk).await;
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            return Some(text.into_owned());
        }
    }
}
