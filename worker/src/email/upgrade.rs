//! STARTTLS: what is said in the clear, before the mail library takes over. It would keep
//! what somebody in between puts behind the server's last word, and read it as if it had
//! come over TLS.

use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::classify_reply::{Step, refused};
use super::wire::LONGEST_ANSWER;
use crate::core::outcome::{ErrorClass, Failure, chain};

/// An answer of the server, whole.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    code: u16,
    lines: Vec<String>,
}

/// Why bytes are no answer.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// It is not over yet.
    Unfinished,
    /// It follows no rule.
    Gibberish,
    /// Something stands behind it, unasked.
    Unasked,
}

/// Gets the server to where TLS begins.
///
/// # Errors
/// If it does not offer that, or does not get there.
pub(super) async fn ask_for_tls<S>(stream: &mut S, hello: &ClientId) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut clear = Clear { stream };
    clear.hear(Step::Greeting, 220).await?;
    let offer = clear
        .ask(Step::Greeting, &format!("EHLO {hello}\r\n"), 250)
        .await?;
    let offered = |line: &String| line.eq_ignore_ascii_case("STARTTLS");
    if !offer.lines.iter().any(offered) {
        let message =
            "mail server at STARTTLS: it does not offer that, and nothing is sent in the clear";
        return Err(Failure::new(ErrorClass::Tls, message));
    }
    clear.ask(Step::StartTls, "STARTTLS\r\n", 220).await?;
    Ok(())
}

struct Clear<'a, S> {
    stream: &'a mut S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Clear<'_, S> {
    async fn ask(&mut self, step: Step, command: &str, wanted: u16) -> Result<Answer, Failure> {
        let sent = self.stream.write_all(command.as_bytes()).await;
        sent.map_err(|error| broken(step, &chain(&error)))?;
        self.hear(step, wanted).await
    }

    async fn hear(&mut self, step: Step, wanted: u16) -> Result<Answer, Failure> {
        let mut bytes = Vec::new();
        let answer = loop {
            match read(&bytes) {
                Ok(answer) => break answer,
                Err(Fault::Unfinished) if bytes.len() <= LONGEST_ANSWER => {}
                Err(fault) => return Err(odd(step, fault)),
            }
            let come = self.stream.read_buf(&mut bytes).await;
            if come.map_err(|error| broken(step, &chain(&error)))? == 0 {
                return Err(broken(step, "it closed the connection"));
            }
        };
        match answer.code {
            code if code == wanted => Ok(answer),
            400..600 => Err(refused(step, answer.code, &answer.lines.join(" "))),
            _ => Err(odd(step, Fault::Unasked)),
        }
    }
}

fn broken(step: Step, why: &str) -> Failure {
    Failure::new(ErrorClass::Connect, format!("mail server at {step}: {why}"))
}

fn odd(step: Step, fault: Fault) -> Failure {
    let what = match fault {
        Fault::Unfinished => "an answer without end",
        Fault::Gibberish => "that is no answer of a mail server",
        Fault::Unasked => "out of step, it says what it was not asked",
    };
    Failure::new(ErrorClass::Smtp, format!("mail server at {step}: {what}"))
}

fn read(bytes: &[u8]) -> Result<Answer, Fault> {
    let mut lines = Vec::new();
    let mut length = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        length += line.len();
        let line = line.strip_suffix(b"\n").ok_or(Fault::Unfinished)?;
        let line = String::from_utf8_lossy(line);
        let code = line.get(..3).and_then(|code| code.parse().ok());
        let code: u16 = code.ok_or(Fault::Gibberish)?;
        let rest = line.get(3..).unwrap_or_default();
        lines.push(rest.trim_start_matches(['-', ' ']).trim_end().to_owned());
        if rest.starts_with('-') {
            continue;
        }
        if length < bytes.len() {
            return Err(Fault::Unasked);
        }
        return Ok(Answer { code, lines });
    }
    Err(Fault::Unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole() {
        let answer = |code, lines: &[&str]| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            Ok(Answer { code, lines })
        };
        for (text, read_as) in [
            ("220 hi\r\n", answer(220, &["hi"])),
            ("220\r\n", answer(220, &[""])),
            ("250-a\r\n250 STARTTLS\r\n", answer(250, &["a", "STARTTLS"])),
            ("250-a\r\n250-b", Err(Fault::Unfinished)),
            ("250-a\r\n", Err(Fault::Unfinished)),
            ("", Err(Fault::Unfinished)),
            ("HTTP/1.1 400\r\n", Err(Fault::Gibberish)),
            ("ü\r\n", Err(Fault::Gibberish)),
            ("220 go\r\n250 injected\r\n", Err(Fault::Unasked)),
            ("220 go\r\n250 inj", Err(Fault::Unasked)),
        ] {
            assert_eq!(read(text.as_bytes()), read_as, "{text:?}");
        }
    }
}
