//! Waiting for threads that open connections by themselves. A process that ends while one
//! of them is inside libpq crashes, because OpenSSL takes itself down first.

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Stands with whoever may open connections, until it will open no more.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "lives, and no more")] Sender<Infallible>);

/// Waits when it is dropped until the [`Held`] is gone.
#[derive(Debug)]
pub(super) struct Released {
    held: Mutex<Receiver<Infallible>>,
    patience: Duration,
}

/// Both ends. A server that never answers ends the wait after `patience`.
pub(super) fn held(patience: Duration) -> (Held, Released) {
    let (sender, receiver) = channel();
    let released = Released {
        held: Mutex::new(receiver),
        patience,
    };
    (Held(sender), released)
}

impl Drop for Released {
    fn drop(&mut self) {
        if let Ok(held) = self.held.get_mut() {
            // Nothing ever comes: the other end goes.
            let _ = held.recv_timeout(self.patience);
        }
    }
}
