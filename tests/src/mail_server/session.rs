//! One SMTP conversation: the server's half of RFC 5321, as far as senders use it.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::{Mail, Moment, Shared, Trouble};

/// Whether the conversation goes on.
type Flow = io::Result<bool>;

pub(super) struct Session {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    shared: Arc<Shared>,
    from: Option<String>,
    to: Vec<String>,
    login: Option<(String, String)>,
}

impl Session {
    pub(super) fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        let (read, write) = stream.into_split();
        Self {
            read: BufReader::new(read),
            write,
            shared,
            from: None,
            to: Vec::new(),
            login: None,
        }
    }

    pub(super) async fn run(mut self) -> io::Result<()> {
        if !self
            .reply_at(Moment::Connect, "220 mail.test ESMTP")
            .await?
        {
            return Ok(());
        }
        while let Some(line) = self.line().await? {
            if !self.obey(&line).await? {
                break;
            }
        }
        Ok(())
    }

    async fn obey(&mut self, line: &str) -> Flow {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let offer = "250-mail.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN";
                self.reply_at(Moment::Hello, offer).await
            }
            "HELO" => self.reply_at(Moment::Hello, "250 mail.test").await,
            "AUTH" => self.auth(rest).await,
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.recipient(rest).await,
            "DATA" => self.data().await,
            "RSET" => {
                self.forget();
                self.say("250 2.0.0 forgotten").await
            }
            "NOOP" => self.say("250 2.0.0 nothing done").await,
            "QUIT" => self.say("221 2.0.0 bye").await.map(|_| false),
            _ => self.say("502 5.5.1 unknown command").await,
        }
    }

    async fn auth(&mut self, rest: &str) -> Flow {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let login = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let token = match initial {
                    "" => self.ask("").await?,
                    initial => decode(initial),
                };
                let mut parts = token.split('\0').skip(1).map(str::to_owned);
                (
                    parts.next().unwrap_or_default(),
                    parts.next().unwrap_or_default(),
                )
            }
            "LOGIN" => {
                let user = match initial {
                    "" => self.ask("Username:").await?,
                    initial => decode(initial),
                };
                (user, self.ask("Password:").await?)
            }
            _ => return self.say("504 5.5.4 unknown mechanism").await,
        };
        let required = {
            let mut state = self.shared.state();
            state.logins.push(login.clone());
            state.required_login.clone()
        };
        if required.is_some_and(|required| required != login) {
            return self.say("535 5.7.8 wrong user name or password").await;
        }
        self.login = Some(login);
        self.reply_at(Moment::Auth, "235 2.7.0 welcome").await
    }

    async fn mail(&mut self, rest: &str) -> Flow {
        if self.login.is_none() && self.shared.state().required_login.is_some() {
            return self.say("530 5.7.0 log in first").await;
        }
        self.forget();
        self.from = Some(address(rest));
        self.reply_at(Moment::From, "250 2.1.0 sender fine").await
    }

    async fn recipient(&mut self, rest: &str) -> Flow {
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        let address = address(rest);
        if let Some(reply) = self.shared.refusal_of(&address) {
            return self.say(&reply).await;
        }
        match self.shared.trouble(Moment::Recipient) {
            Some(Trouble::Refuse(reply)) => self.say(&reply).await,
            trouble => {
                self.to.push(address);
                self.reply_with(trouble, "250 2.1.5 recipient fine").await
            }
        }
    }

    async fn data(&mut self) -> Flow {
        if self.to.is_empty() {
            return self.say("503 5.5.1 RCPT first").await;
        }
        match self.shared.trouble(Moment::Data) {
            Some(Trouble::Refuse(reply)) => return self.say(&reply).await,
            trouble => {
                if !self.reply_with(trouble, "354 go ahead").await? {
                    return Ok(false);
                }
            }
        }
        let Some(raw) = self.message().await? else {
            return Ok(false);
        };
        let mail = Mail {
            arrived: Instant::now(),
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            login: self.login.clone(),
            raw,
        };
        match self.shared.trouble(Moment::Message) {
            Some(Trouble::Refuse(reply)) => self.say(&reply).await,
            Some(Trouble::Close) => Ok(false),
            trouble => {
                self.shared.keep(mail);
                self.reply_with(trouble, "250 2.0.0 taken").await
            }
        }
    }

    /// The message up to the lone full stop, with the doubled ones undone; `None` when the
    /// peer went away in the middle.
    async fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.read.read_until(b'\n', &mut line).await? == 0 {
                return Ok(None);
            }
            if line == b".\r\n" {
                return Ok(Some(message));
            }
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }

    async fn reply_at(&mut self, moment: Moment, usual: &str) -> Flow {
        let trouble = self.shared.trouble(moment);
        self.reply_with(trouble, usual).await
    }

    async fn reply_with(&mut self, trouble: Option<Trouble>, usual: &str) -> Flow {
        match trouble {
            None => self.say(usual).await,
            Some(Trouble::Refuse(reply)) => self.say(&reply).await,
            Some(Trouble::Stall(period)) => {
                tokio::time::sleep(period).await;
                self.say(usual).await
            }
            Some(Trouble::Close | Trouble::KeepAndClose) => Ok(false),
            Some(Trouble::KeepAndHold) => {
                let shared = Arc::clone(&self.shared);
                if let Ok(permit) = shared.gate.acquire().await {
                    permit.forget();
                }
                self.say(usual).await?;
                shared.released.send_modify(|released| *released += 1);
                Ok(true)
            }
        }
    }

    async fn say(&mut self, reply: &str) -> Flow {
        self.write
            .write_all(format!("{reply}\r\n").as_bytes())
            .await?;
        self.write.flush().await?;
        Ok(true)
    }

    async fn ask(&mut self, question: &str) -> io::Result<String> {
        self.say(&format!("334 {}", BASE64.encode(question)))
            .await?;
        let answer = self.line().await?;
        Ok(decode(&answer.unwrap_or_default()))
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let bytes = self.read.read_line(&mut line).await?;
        Ok((bytes > 0).then(|| line.trim_end().to_owned()))
    }
}

/// The address in `FROM:<a@b> SIZE=1`.
fn address(rest: &str) -> String {
    let inside = rest
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside
        .map(|(address, _)| address.to_owned())
        .unwrap_or_default()
}

fn decode(text: &str) -> String {
    let bytes = BASE64.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
