//! A mail server for tests: a real socket, and a script that says how it
//! answers which command.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the server does instead of its usual answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Says this.
    Say(&'static str),
    /// Says this, whatever its encoding.
    Raw(&'static [u8]),
    /// Says something that has no end.
    Flood,
    /// Says this and closes.
    SayAndClose(&'static str),
    /// Says nothing, and keeps the connection.
    Hang,
    /// Closes.
    Close,
    /// Says this and closes the first time, and is as usual afterwards.
    SayAndCloseOnce(&'static str),
}

/// Deviations from the usual conversation: the first whose word starts the
/// command counts. `GREETING` and `MESSAGE` stand for what has no command.
pub type Script = Vec<(&'static str, Reply)>;

/// How the server protects connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    None,
    Tls,
    StartTls,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    commands: Vec<String>,
    messages: Vec<String>,
}

/// The server, listening on a free port of 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    /// Its certificate, for `localhost`.
    pub pem: String,
    seen: Arc<Mutex<Seen>>,
    script: Arc<Mutex<Script>>,
}

impl Server {
    pub async fn start(script: Script) -> Self {
        Self::listen(script, Protection::None).await
    }

    pub async fn listen(script: Script, protection: Protection) -> Self {
        let (acceptor, pem) = certificate();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            pem,
            seen: Arc::default(),
            script: Arc::new(Mutex::new(script)),
        };
        let conversation = Conversation {
            seen: Arc::clone(&server.seen),
            script: Arc::clone(&server.script),
            protection,
            acceptor,
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                conversation.seen.lock().unwrap().connections += 1;
                let conversation = conversation.clone();
                tokio::spawn(async move { conversation.serve(stream).await });
            }
        });
        server
    }

    /// Replaces the script for what comes next.
    pub fn now(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub fn commands(&self) -> Vec<String> {
        self.seen.lock().unwrap().commands.clone()
    }

    pub fn messages(&self) -> Vec<String> {
        self.seen.lock().unwrap().messages.clone()
    }
}

fn certificate() -> (TlsAcceptor, String) {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), own.cert.pem())
}

#[derive(Clone)]
struct Conversation {
    seen: Arc<Mutex<Seen>>,
    script: Arc<Mutex<Script>>,
    protection: Protection,
    acceptor: TlsAcceptor,
}

/// How a conversation ended.
enum End {
    Closed,
    Upgrade,
}

impl Conversation {
    async fn serve(&self, mut stream: TcpStream) {
        if self.protection == Protection::Tls {
            if let Ok(stream) = self.acceptor.accept(stream).await {
                self.converse(stream, true, true).await;
            }
            return;
        }
        let upgradable = self.protection == Protection::StartTls;
        if let End::Upgrade = self.converse(&mut stream, true, !upgradable).await
            && let Ok(stream) = self.acceptor.accept(stream).await
        {
            self.converse(stream, false, true).await;
        }
    }

    async fn converse<S>(&self, stream: S, greet: bool, secure: bool) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = BufStream::new(stream);
        if greet
            && !self
                .reply(&mut stream, "GREETING", "220 mail.test ready")
                .await
        {
            return End::Closed;
        }
        let mut line = String::new();
        loop {
            line.clear();
            if !matches!(stream.read_line(&mut line).await, Ok(count) if count > 0) {
                return End::Closed;
            }
            let command = line.trim_end().to_owned();
            self.seen.lock().unwrap().commands.push(command.clone());
            let usual = usual(&command, secure);
            if !self.reply(&mut stream, &command, usual).await {
                return End::Closed;
            }
            match command.as_str() {
                "STARTTLS" => return End::Upgrade,
                "DATA" if !self.take_message(&mut stream).await => return End::Closed,
                _ => {}
            }
        }
    }

    async fn take_message<S>(&self, stream: &mut BufStream<S>) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.scripted("DATA").is_some() {
            return true;
        }
        let mut message = String::new();
        while !message.ends_with("\r\n.\r\n") {
            if !matches!(stream.read_line(&mut message).await, Ok(count) if count > 0) {
                return false;
            }
        }
        self.seen.lock().unwrap().messages.push(message);
        self.reply(stream, "MESSAGE", "250 2.0.0 queued as 42")
            .await
    }

    fn scripted(&self, command: &str) -> Option<Reply> {
        let mut script = self.script.lock().unwrap();
        let found = script
            .iter()
            .position(|(word, _)| command.starts_with(word))?;
        let reply = script[found].1.clone();
        if matches!(reply, Reply::SayAndCloseOnce(_)) {
            script.remove(found);
        }
        Some(reply)
    }

    /// Answers; `false` if the connection ends with it.
    async fn reply<S>(&self, stream: &mut BufStream<S>, command: &str, usual: &str) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (text, stay) = match self.scripted(command) {
            None => (usual, true),
            Some(Reply::Say(text)) => (text, true),
            Some(Reply::SayAndClose(text) | Reply::SayAndCloseOnce(text)) => (text, false),
            Some(Reply::Close) => return false,
            Some(Reply::Raw(bytes)) => {
                let _ = stream.write_all(&[bytes, b"\r\n"].concat()).await;
                return stream.flush().await.is_ok();
            }
            Some(Reply::Flood) => {
                while stream.write_all(&[b'2'; 4096]).await.is_ok() {}
                return false;
            }
            Some(Reply::Hang) => std::future::pending().await,
        };
        let _ = stream.write_all(format!("{text}\r\n").as_bytes()).await;
        stream.flush().await.is_ok() && stay
    }
}

fn usual(command: &str, secure: bool) -> &'static str {
    let word = command.split(' ').next().unwrap_or_default();
    match word {
        "EHLO" if secure => "250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
        "EHLO" => "250-mail.test\r\n250 STARTTLS",
        "STARTTLS" => "220 go ahead",
        "AUTH" => "235 2.7.0 welcome",
        "DATA" => "354 go ahead",
        "QUIT" => "221 bye",
        _ => "250 2.0.0 ok",
    }
}
