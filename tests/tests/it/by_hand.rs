//! A request that is written by hand, piece by piece.

use beadle_tests::TestApp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::scene::SOON;

/// A request of which one byte is missing.
pub struct Slow {
    stream: TcpStream,
    last: u8,
}

impl Slow {
    /// Sends all but the last byte of the body.
    pub async fn begin(app: &TestApp, (method, path): (&str, &str), key: &str, body: &str) -> Self {
        let (last, others) = body.as_bytes().split_last().unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: beadle\r\nAuthorization: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len(),
        );
        let mut stream = connect(app).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(others).await.unwrap();
        Self {
            stream,
            last: *last,
        }
    }

    pub async fn complete(&mut self) {
        self.stream.write_all(&[self.last]).await.unwrap();
    }

    /// Says that nothing more will come.
    pub async fn break_off(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    pub async fn answer(self) -> (u16, String) {
        answer(self.stream).await
    }
}

pub async fn connect(app: &TestApp) -> TcpStream {
    let address = app.client.base().trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

/// The status, and all that follows until the server closes the connection.
pub async fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await;
    read.expect("an answer, and an end of it").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap_or_default().parse();
    (status.expect("a status"), answer)
}
