//! A mail server that counts. It runs on a thread of its own, as the receiver of webhooks
//! does, answers everything with yes, and keeps nothing but the number.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;

use anyhow::Result;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};

use crate::clock::now_micros;
use crate::tally::{Arrival, Tally, on_own_thread};

/// The server; it serves until the process ends. What came is asked of its tally.
#[derive(Debug, Clone)]
pub struct Mailbox {
    address: SocketAddr,
    tally: Tally,
}

impl Deref for Mailbox {
    type Target = Tally;

    fn deref(&self) -> &Tally {
        &self.tally
    }
}

impl Mailbox {
    /// Starts it on a free port of the loopback interface.
    pub fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let mailbox = Self {
            address: listener.local_addr()?,
            tally: Tally::default(),
        };
        on_own_thread("mailbox", mailbox.clone().serve(listener))?;
        Ok(mailbox)
    }

    /// Where it listens, as `BEADLE_MAIL` wants it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    async fn serve(self, listener: std::net::TcpListener) {
        let Ok(listener) = TcpListener::from_std(listener) else {
            return;
        };
        while let Ok((stream, _)) = listener.accept().await {
            self.connected();
            let mailbox = self.clone();
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                // A sender that goes away is its own business.
                let _ = mailbox.converse(stream).await;
            });
        }
    }

    async fn converse(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufStream::new(stream);
        let mut recipient = String::new();
        say(&mut stream, "220 bench.example ESMTP").await?;
        while let Some(line) = line(&mut stream).await? {
            let line = String::from_utf8_lossy(&line);
            let command: String = line.chars().take(4).collect();
            let answer = match command.to_ascii_uppercase().as_str() {
                "EHLO" => "250-bench.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8",
                "QUIT" => return say(&mut stream, "221 2.0.0 bye").await,
                "DATA" => {
                    say(&mut stream, "354 go ahead").await?;
                    let Some(id) = message_id(&mut stream).await? else {
                        return Ok(());
                    };
                    self.count(Arrival {
                        place: &recipient,
                        id,
                        at: now_micros(),
                        sent: None,
                    });
                    "250 2.0.0 counted"
                }
                "RCPT" => {
                    line.trim_end().clone_into(&mut recipient);
                    "250 2.1.5 fine"
                }
                _ => "250 2.0.0 fine",
            };
            say(&mut stream, answer).await?;
        }
        Ok(())
    }
}

/// The next line; `None` at the end.
async fn line(stream: &mut BufStream<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = stream.read_until(b'\n', &mut line).await?;
    Ok((read > 0).then_some(line))
}

/// Reads a message up to the lone full stop; `None` if it is cut off.
async fn message_id(stream: &mut BufStream<TcpStream>) -> io::Result<Option<String>> {
    let mut id = String::new();
    while let Some(line) = line(stream).await? {
        if line == b".\r\n" {
            return Ok(Some(id));
        }
        if id.is_empty() && line.starts_with(b"Message-ID:") {
            id = String::from_utf8_lossy(&line).into_owned();
        }
    }
    Ok(None)
}

async fn say(stream: &mut BufStream<TcpStream>, answer: &str) -> io::Result<()> {
    stream.write_all(answer.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    stream.flush().await
}
