//! What a receiver does with a request.

use std::time::Duration;

/// How the receiver treats one request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) delay: Duration,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Whole,
    CutShort,
    Closed,
    Hanging,
}

impl Answer {
    /// An empty answer with this status.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            delay: Duration::ZERO,
            headers: Vec::new(),
            body: Vec::new(),
            ending: Ending::Whole,
        }
    }

    /// Reads the request and never answers it.
    pub fn hang() -> Self {
        Self::status(0).ending(Ending::Hanging)
    }

    /// Reads the request and closes the connection.
    pub fn close() -> Self {
        Self::status(0).ending(Ending::Closed)
    }

    /// Promises more body than it sends, then closes the connection.
    pub fn cut_short(status: u16) -> Self {
        Self::status(status)
            .body("the beginning")
            .ending(Ending::CutShort)
    }

    /// The same after a while.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The same with a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    pub(super) fn head(&self) -> String {
        let promised = match self.ending {
            Ending::CutShort => self.body.len() + 1000,
            _ => self.body.len(),
        };
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {promised}\r\n\r\n"));
        head
    }
}
