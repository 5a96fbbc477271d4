//! The server's half of SMTP (RFC 5321), as far as any sender needs it.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest command line, and longest line of a message: more than the protocol allows.
const LONGEST_LINE: u64 = 8 * 1024;
/// Far above what the demo sends.
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// A message, and to whom it was addressed on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) to: Vec<String>,
    pub(super) message: Vec<u8>,
}

/// Talks to one sender until it leaves; `deliver` gets each message before it is
/// acknowledged.
pub(super) async fn converse<R, W>(read: R, write: W, deliver: impl Fn(Envelope)) -> io::Result<()>
where
    R: AsyncBufRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut session = Session {
        read,
        write,
        has_sender: false,
        to: Vec::new(),
    };
    session.say("220 catcher.localhost ESMTP").await?;
    while let Some(line) = session.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "DATA" => session.data(&deliver).await?,
            "QUIT" => return session.say("221 2.0.0 bye").await,
            verb => session.obey(verb, rest).await?,
        }
    }
    Ok(())
}

struct Session<R, W> {
    read: R,
    write: W,
    has_sender: bool,
    to: Vec<String>,
}

impl<R, W> Session<R, W>
where
    R: AsyncBufRead + Unpin,
    W: AsyncWrite + Unpin,
{
    async fn obey(&mut self, verb: &str, rest: &str) -> io::Result<()> {
        let reply = match verb {
            "EHLO" => "250-catcher.localhost\r\n250-8BITMIME\r\n250 SMTPUTF8",
            "HELO" => "250 catcher.localhost",
            "MAIL" => {
                self.forget();
                self.has_sender = true;
                "250 2.1.0 sender fine"
            }
            "RCPT" if !self.has_sender => "503 5.5.1 MAIL first",
            "RCPT" => match address(rest) {
                Some(address) => {
                    self.to.push(address.to_owned());
                    "250 2.1.5 recipient fine"
                }
                None => "501 5.5.4 expected TO:<address>",
            },
            "RSET" => {
                self.forget();
                "250 2.0.0 forgotten"
            }
            "NOOP" => "250 2.0.0 nothing done",
            _ => "502 5.5.1 unknown command",
        };
        self.say(reply).await
    }

    async fn data(&mut self, deliver: &impl Fn(Envelope)) -> io::Result<()> {
        if self.to.is_empty() {
            return self.say("503 5.5.1 RCPT first").await;
        }
        self.say("354 go ahead, and end with a full stop alone")
            .await?;
        let message = self.message().await?;
        let to = std::mem::take(&mut self.to);
        self.forget();
        deliver(Envelope { to, message });
        self.say("250 2.0.0 taken").await
    }

    /// The lines up to a lone full stop. A line that began with one has got a second one
    /// from the sender, which is taken away again.
    async fn message(&mut self) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            let Some(line) = self.line().await? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            if line == b".\r\n" {
                return Ok(message);
            }
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if message.len() > LARGEST_MESSAGE {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
    }

    fn forget(&mut self) {
        self.has_sender = false;
        self.to.clear();
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.write
            .write_all(format!("{reply}\r\n").as_bytes())
            .await?;
        self.write.flush().await
    }

    /// A line with its end; none when the sender has left.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.read).take(LONGEST_LINE);
        let bytes = limited.read_until(b'\n', &mut line).await?;
        Ok((bytes > 0).then_some(line))
    }
}

/// The address in `TO:<a@b> ORCPT=…`.
fn address(rest: &str) -> Option<&str> {
    let (_, rest) = rest.split_once('<')?;
    let (address, _) = rest.split_once('>')?;
    Some(address)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    async fn talk(script: &str) -> (String, Vec<Envelope>) {
        let mut answers = Vec::new();
        let taken = RefCell::new(Vec::new());
        let deliver = |envelope| taken.borrow_mut().push(envelope);
        converse(script.as_bytes(), &mut answers, deliver)
            .await
            .unwrap();
        (String::from_utf8(answers).unwrap(), taken.into_inner())
    }

    #[tokio::test]
    async fn doubled_full_stops_are_undone() {
        let (_, taken) = talk(
            "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\
             one\r\n..\r\n..two\r\n.three\r\nfour.\r\n.\r\nQUIT\r\n",
        )
        .await;
        assert_eq!(taken[0].to, ["c@d"]);
        let text = String::from_utf8_lossy(&taken[0].message);
        assert_eq!(text, "one\r\n.\r\n.two\r\nthree\r\nfour.\r\n");
    }

    #[tokio::test]
    async fn commands_come_in_order() {
        let (answers, taken) = talk(
            "RCPT TO:<c@d>\r\nDATA\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRSET\r\nDATA\r\n\
             NOOP\r\nVRFY x\r\nQUIT\r\n",
        )
        .await;
        let codes: Vec<&str> = answers.lines().filter_map(|line| line.get(..3)).collect();
        let expected = [
            "220", "503", "503", "250", "250", "250", "503", "250", "502", "221",
        ];
        assert_eq!(codes, expected);
        assert!(taken.is_empty());
    }

    #[tokio::test]
    async fn a_connection_carries_several_messages() {
        let one = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\n";
        let (_, taken) = talk(&format!("{one}{one}")).await;
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0], taken[1]);
    }
}
