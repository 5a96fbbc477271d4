//! HTTP/1.1 as far as a webhook needs it: requests with a length, and keep-alive.

use std::io;
use std::time::Instant;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::answer::Ending;
use super::{Received, Shared, record};

/// Answers the requests of one connection.
pub(super) async fn serve(
    mut read: impl AsyncBufRead + Unpin,
    mut write: impl AsyncWrite + Unpin,
    shared: &Shared,
) -> io::Result<()> {
    while let Some(request) = read_request(&mut read).await? {
        let answer = record(request, shared);
        tokio::time::sleep(answer.delay).await;
        if answer.ending == Ending::Hanging {
            // Until the sender has had enough.
            read.read_u8().await.ok();
        }
        shared.state().in_flight -= 1;
        if matches!(answer.ending, Ending::Closed | Ending::Hanging) {
            return Ok(());
        }
        write.write_all(answer.head().as_bytes()).await?;
        write.write_all(&answer.body).await?;
        write.flush().await?;
        if answer.ending == Ending::CutShort {
            return Ok(());
        }
    }
    Ok(())
}

async fn read_request(read: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Received>> {
    let Some(first) = read_line(read).await? else {
        return Ok(None);
    };
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let mut headers = HeaderMap::new();
    while let Some(line) = read_line(read).await?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(|| broken(&line))?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken(&line))?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| broken(&line))?;
        headers.append(name, value);
    }
    let length = headers
        .get("content-length")
        .and_then(|value| value.to_str().ok());
    let length = length.and_then(|value| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    read.read_exact(&mut body).await?;
    Ok(Some(Received {
        arrived: Instant::now(),
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body,
        answered: 0,
        verified: None,
    }))
}

async fn read_line(read: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let mut line = String::new();
    let bytes = read.read_line(&mut line).await?;
    Ok((bytes > 0).then(|| line.trim_end().to_owned()))
}

fn broken(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a header: {line}"))
}
