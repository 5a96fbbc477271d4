//! The connection to a mail server, as the mail library may see it. The library reads a line
//! however long it is, and gives up on one that is not UTF-8; both would be up to the server.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The longest answer that is read. Real ones have a few hundred bytes.
pub(super) const LONGEST_ANSWER: usize = 64 * 1024;

/// A stream that bounds what comes between two writes, and makes it ASCII: some servers
/// write their answers in the encoding of their country, and mail that was taken with thanks
/// in Latin-1 must not be sent again.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    /// Comes before what the server says.
    ahead: &'static [u8],
    /// How much has come since the last write.
    read: usize,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            ahead: b"",
            read: 0,
        }
    }

    /// Where the greeting has been before, and does not come again.
    pub(super) fn greeted(stream: S) -> Self {
        Self {
            ahead: b"220 again\r\n",
            ..Self::new(stream)
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let fits = self.ahead.len().min(buf.remaining());
            let (now, later) = self.ahead.split_at(fits);
            buf.put_slice(now);
            self.ahead = later;
            return Poll::Ready(Ok(()));
        }
        if self.read > LONGEST_ANSWER {
            return Poll::Ready(Err(too_long()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let come = buf.filled_mut().get_mut(before..).unwrap_or_default();
        self.read = self.read.saturating_add(come.len());
        for byte in come.iter_mut().filter(|byte| !byte.is_ascii()) {
            *byte = b'?';
        }
        Poll::Ready(Ok(()))
    }
}

fn too_long() -> io::Error {
    io::Error::other(format!("the answer is longer than {LONGEST_ANSWER} bytes"))
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What has a peer.
pub(super) trait Peer {
    fn peer(&self) -> io::Result<SocketAddr>;
}

impl Peer for TcpStream {
    fn peer(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }
}

impl Peer for TlsStream<TcpStream> {
    fn peer(&self) -> io::Result<SocketAddr> {
        self.get_ref().0.peer_addr()
    }
}

impl<S> AsyncTokioStream for Wire<S>
where
    S: AsyncRead + AsyncWrite + Peer + Send + Sync + Unpin + std::fmt::Debug,
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn answers_are_bounded_each() {
        let (near, mut far) = duplex(2 * LONGEST_ANSWER);
        let mut wire = Wire::new(near);
        far.write_all(&vec![b'x'; LONGEST_ANSWER]).await.unwrap();
        for _ in 0..3 {
            wire.read_exact(&mut vec![0; LONGEST_ANSWER]).await.unwrap();
            wire.write_all(b"NOOP\r\n").await.unwrap();
            far.write_all(&vec![b'x'; LONGEST_ANSWER]).await.unwrap();
        }
        far.write_all(&[b'x'; 2]).await.unwrap();
        let error = wire.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert!(error.to_string().contains("longer than 65536"), "{error}");
    }

    #[tokio::test]
    async fn what_is_not_ascii_becomes_so_behind_what_comes_ahead() {
        let (near, mut far) = duplex(64);
        let mut wire = Wire::greeted(near);
        far.write_all(b"250 gr\xfc\xdf dich\r\n").await.unwrap();
        drop(far);
        let mut read = String::new();
        wire.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "220 again\r\n250 gr?? dich\r\n");
    }
}
