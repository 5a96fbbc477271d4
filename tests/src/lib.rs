//! What the end-to-end tests stand on: throw-away databases, the real binaries as child
//! processes, a webhook receiver, a mail server and an HTTP client.
//!
//! The tests themselves live in `tests/it`. Nothing here knows how Beadle works inside:
//! it is driven through its commands, its settings and its HTTP interface alone.
//!
//! Everything in this crate reports failure by panicking with a message for the reader of
//! a test's output, and cleans up when dropped.
#![expect(
    clippy::expect_used,
    reason = "a support library for tests: a panic is how it reports a failure"
)]

pub mod backend;
pub mod client;
pub mod mail_server;
pub mod postgres;
pub mod process;
mod reaper;
pub mod receiver;
pub mod world;

pub use backend::{Backend, TestDatabase};
pub use client::{Client, Reply};
pub use mail_server::{MailServer, Moment, Trouble};
pub use postgres::MortalServer;
pub use receiver::{Answer, Receiver};
pub use world::{TestApp, TestAppBuilder};
